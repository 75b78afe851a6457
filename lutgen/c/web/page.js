// What the page does: takes a file, shows its first image and what it says, saves images as PNG.
"use strict";

const element = (id) => document.getElementById(id);
const decoder = Decoder.load(element("module").textContent.trim());
let shown = null;

// Show image `number`, counted from 0, of a decoded file: the most significant 8 bits.
function show(number) {
  const { width, height, channels, depth, shift, samples } = shown;
  const down = depth + shift - 8;
  const first = number * width * height * channels;
  const canvas = element("picture");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  const colours = channels > 2 ? 3 : 1;
  for (let k = 0; k < width * height; k++) {
    const at = first + k * channels;
    for (let c = 0; c < 3; c++) {
      pixels.data[4 * k + c] = samples[at + (colours === 3 ? c : 0)] >> down;
    }
    pixels.data[4 * k + 3] = channels % 2 ? 255 : samples[at + colours] >> down;
  }
  context.putImageData(pixels, 0, 0);
  shown.number = number;
}

function describe(name, bytes, seconds) {
  const { width, height, channels, images, depth, near, strips, damaged, model } = shown;
  const kinds = ["", "gray", "gray and alpha", "RGB", "RGBA"];
  const rows = [
    ["file", `${name}, ${bytes.toLocaleString()} bytes`],
    ["image", `${width} × ${height}, ${kinds[channels]}, ${depth} bits`],
    ["images", images],
    ["model", model],
    ["errors", near ? `up to ${near}` : "none: lossless"],
    ["bits per pixel", ((8 * bytes) / (images * width * height)).toFixed(3)],
    ["decoded in", `${(1000 * seconds).toFixed(0)} ms`],
  ];
  if (damaged) {
    rows.push(["damaged strips", `${damaged} of ${strips}, shown black`]);
  }
  element("facts").replaceChildren(...rows.map(([what, value]) => {
    const row = document.createElement("tr");
    for (const [kind, text] of [["th", what], ["td", value]]) {
      row.appendChild(document.createElement(kind)).textContent = text;
    }
    return row;
  }));
}

async function open(file) {
  element("error").textContent = "";
  element("result").hidden = true;
  try {
    const module = await decoder;
    const bytes = new Uint8Array(await file.arrayBuffer());
    const begun = performance.now();
    shown = { ...module.decode(bytes), name: file.name };
    describe(file.name, bytes.length, (performance.now() - begun) / 1000);
    element("number").max = shown.images;
    element("number").value = 1;
    element("choice").hidden = shown.images === 1;
    show(0);
    element("result").hidden = false;
  } catch (error) {
    shown = null;
    element("error").textContent = `${file.name}: ${error.message}`;
  }
}

async function save() {
  const { width, height, channels, samples, number, images, name } = shown;
  const size = width * height * channels;
  const blob = await png(
    samples.subarray(number * size, (number + 1) * size), width, height, channels,
  );
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  const which = images > 1 ? `-${number + 1}` : "";
  link.download = `${name.replace(/\.lgc$/i, "")}${which}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

element("file").addEventListener("change", (event) => {
  if (event.target.files.length) {
    open(event.target.files[0]);
  }
});
element("number").addEventListener("change", (event) => {
  const number = Math.min(Math.max(1, event.target.valueAsNumber || 1), shown.images);
  event.target.value = number;
  show(number - 1);
});
element("save").addEventListener("click", save);
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) {
    open(event.dataTransfer.files[0]);
  }
});
