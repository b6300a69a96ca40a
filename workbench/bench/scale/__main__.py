"""`make scale`: what a fleet needs for up to a million calls, and how fast it may grow.

Writes docs/scale.md and its pictures. Arithmetic and a simulation: it starts nothing, and needs
half a minute.
"""

import sys
from pathlib import Path

from workbench.arguments import command
from workbench.bench.scale.page import Scale, page, pictures
from workbench.local.running import PROJECT

SEED = 16


def main() -> int:
    """Simulate and write."""
    parser = command("workbench.bench.scale", __doc__)
    parser.add_argument("--seed", type=int, default=SEED, help="of the simulation")
    parser.add_argument("--folder", type=Path, default=PROJECT / "docs", help="what to write to")
    arguments = parser.parse_args()
    scale = Scale(arguments.seed)
    (arguments.folder / "scale.md").write_text(page(scale), encoding="utf-8")
    for name, drawn in pictures(scale).items():
        (arguments.folder / name).write_text(drawn, encoding="utf-8")
    print(f"Written: {arguments.folder / 'scale.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
