// Calls of the module of page.c: a file in, what it says and its samples out.
"use strict";

const FACTS = [
  "width", "height", "channels", "images", "depth", "shift", "near", "strips", "sampleBytes",
  "decodedBytes", "workspaceBytes", "damaged",
];
const PAGE_BYTES = 65536;
// Of enum lutgen_status.
const SUCCESS = 0;

class Decoder {
  static async load(base64) {
    const binary = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const { instance } = await WebAssembly.instantiate(binary, {});
    instance.exports._initialize();
    return new Decoder(instance.exports);
  }

  constructor(exports) {
    this.exports = exports;
    this.first = (exports.page_memory() + 63) & ~63;
  }

  // Decode a file, a Uint8Array: what it says, and its samples, Uint8Array or Uint16Array, those of
  // all images one after the other.  Throws an Error with what is wrong in plain words.
  decode(file) {
    const { exports } = this;
    const place = this.first;
    this.grow(place + file.length);
    new Uint8Array(exports.memory.buffer).set(file, place);
    this.check(exports.page_open(place, file.length));
    const facts = this.facts();
    const samplesAt = place + (-(-file.length >> 6) << 6);
    const workspaceAt = samplesAt + 64 * Math.ceil(facts.decodedBytes / 64);
    this.grow(workspaceAt + facts.workspaceBytes);
    this.check(exports.page_decode(samplesAt, workspaceAt));
    const kind = facts.sampleBytes === 1 ? Uint8Array : Uint16Array;
    const samples = new kind(
      exports.memory.buffer, samplesAt, facts.decodedBytes / facts.sampleBytes,
    ).slice();
    return { ...this.facts(), model: this.text(exports.page_model()), samples };
  }

  facts() {
    return Object.fromEntries(FACTS.map((name, k) => [name, this.exports.page_fact(k)]));
  }

  // Have memory up to an address.
  grow(end) {
    const missing = Math.ceil(end / PAGE_BYTES) - this.exports.memory.buffer.byteLength / PAGE_BYTES;
    if (missing <= 0) {
      return;
    }
    try {
      this.exports.memory.grow(missing);
    } catch {
      throw new Error(`the image needs ${Math.ceil(end / 1e6)} MB, more than the browser gives`);
    }
  }

  check(status) {
    if (status !== SUCCESS) {
      throw new Error(this.text(this.exports.page_status_text(status)));
    }
  }

  text(at) {
    const memory = new Uint8Array(this.exports.memory.buffer);
    return new TextDecoder().decode(memory.subarray(at, memory.indexOf(0, at)));
  }
}
