// PNG of 8 or 16 bits for each sample, gray, gray with alpha, RGB or RGBA: no sample is changed.
"use strict";

const COLOUR_TYPES = [null, 0, 4, 2, 6];
const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let k = 0; k < 8; k++) {
    value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return value;
});

function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value = CRC_TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  }
  return (value ^ 0xffffffff) >>> 0;
}

function chunk(name, data) {
  const found = new Uint8Array(data.length + 12);
  const view = new DataView(found.buffer);
  view.setUint32(0, data.length);
  found.set(new TextEncoder().encode(name), 4);
  found.set(data, 8);
  view.setUint32(data.length + 8, crc32(found.subarray(4, data.length + 8)));
  return found;
}

// A Blob of the samples, Uint8Array or Uint16Array, of one image.
async function png(samples, width, height, channels) {
  const deep = samples.BYTES_PER_ELEMENT === 2;
  const row = width * channels;
  const size = 1 + row * samples.BYTES_PER_ELEMENT;
  const lines = new Uint8Array(height * size);
  const view = new DataView(lines.buffer);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < row; x++) {
      const value = samples[y * row + x];
      if (deep) {
        view.setUint16(y * size + 1 + 2 * x, value);
      } else {
        lines[y * size + 1 + x] = value;
      }
    }
  }
  const packed = new Blob([lines]).stream().pipeThrough(new CompressionStream("deflate"));
  const data = new Uint8Array(await new Response(packed).arrayBuffer());
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, deep ? 16 : 8);
  header.setUint8(9, COLOUR_TYPES[channels]);
  return new Blob([
    new Uint8Array(SIGNATURE), chunk("IHDR", new Uint8Array(header.buffer)), chunk("IDAT", data),
    chunk("IEND", new Uint8Array(0)),
  ], { type: "image/png" });
}
