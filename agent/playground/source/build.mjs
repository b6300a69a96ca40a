// Writes ../static/playground.js and the licences of what is in it. Run it with `make page`.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";

const out = process.argv[2] ?? "../static";
const isSource = (name) => /\.(ts|js|mjs)$|^package/.test(name) && !name.includes("test.");
const sources = (await readdir(".")).filter(isSource).sort();
const hash = createHash("sha256");
for (const name of sources) hash.update(`${name}\0`).update(await readFile(name)).update("\0");

await build({
  entryPoints: ["main.ts"],
  outfile: `${out}/playground.js`,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "none",
  banner: { js: `/* Built by make page. Sources: ${hash.digest("hex")}. Licences: licences.txt. */` },
});
await copyFile("meter.js", `${out}/meter.js`);

// livekit-client comes as one file with its dependencies in it.
const packages = new Set();
async function walk(name) {
  if (packages.has(name)) return;
  packages.add(name);
  const { dependencies = {} } = JSON.parse(await readFile(`node_modules/${name}/package.json`, "utf8"));
  for (const dependency of Object.keys(dependencies)) await walk(dependency);
}
await walk("livekit-client");
const notices = [];
for (const name of [...packages].sort()) {
  const path = `node_modules/${name}`;
  const { version, license } = JSON.parse(await readFile(`${path}/package.json`, "utf8"));
  const files = (await readdir(path)).filter((file) => /^(licen[cs]e|notice|copy)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(`${path}/${file}`, "utf8")));
  notices.push([`${name} ${version} (${license})`, ...texts.map((text) => text.trim())].join("\n\n"));
}
await writeFile(`${out}/licences.txt`, `playground.js contains:\n\n${notices.join(`\n\n${"-".repeat(80)}\n\n`)}\n`);
