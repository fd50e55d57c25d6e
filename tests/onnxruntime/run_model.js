// node run_model.js MODULES MODEL SHAPE INPUTS OUTPUTS: runs a model with one float input and one float
// output over the inputs in a file of float32, one behind the other, and writes its outputs alike.
// SHAPE is that of one input, 1,3,32,32.
const fs = require('fs');
const path = require('path');

const [modules, model, dimensions, inputs, outputs] = process.argv.slice(2);
const ort = require(path.join(modules, 'onnxruntime-node'));

async function main() {
  const session = await ort.InferenceSession.create(
      model, {intraOpNumThreads: 1});
  const bytes = fs.readFileSync(inputs);
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const shape = dimensions.split(',').map(Number);
  const size = shape.reduce((a, b) => a * b, 1);
  const out = fs.openSync(outputs, 'w');
  for (let at = 0; at < values.length; at += size) {
    const feeds = {};
    feeds[session.inputNames[0]] = new ort.Tensor('float32', values.subarray(at, at + size), shape);
    const result = (await session.run(feeds))[session.outputNames[0]].data;
    fs.writeSync(out, Buffer.from(result.buffer, result.byteOffset, result.byteLength));
  }
  fs.closeSync(out);
}

main().catch((error) => {
  console.error(String(error.message || error).split('\n')[0]);
  process.exit(1);
});
