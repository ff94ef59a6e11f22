import { describeStack, parseStack, StackError } from "@blkstack/stack";

const text = `
disks:
  fast: { ram: 128MiB }
devices:
  swapped: |
    0 131072 linear fast 131072
    131072 131072 linear fast 0
exports:
  swapped: { device: swapped, default: true }
`;
const stack = parseStack(text, "stack.yaml");
console.log(JSON.stringify(stack.disks.get("fast")));
console.log(describeStack(stack).trimEnd());

try {
  parseStack(text.replace("device: swapped", "device: swaped"), "stack.yaml");
} catch (error) {
  if (error instanceof StackError) console.log(error.message);
}
