// Runs on the browser's audio thread: the loudness of each 10 ms, with its time.
class Meter extends AudioWorkletProcessor {
  #energy = 0;
  #count = 0;

  process([input]) {
    const samples = input[0];
    if (!samples) return true;
    for (const sample of samples) this.#energy += sample * sample;
    this.#count += samples.length;
    if (this.#count >= sampleRate / 100) {
      const at = currentTime + samples.length / sampleRate;
      this.port.postMessage([Math.sqrt(this.#energy / this.#count), at, this.#count / sampleRate]);
      this.#energy = this.#count = 0;
    }
    return true;
  }
}

registerProcessor("meter", Meter);
