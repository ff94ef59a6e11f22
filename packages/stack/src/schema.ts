import { SIZE_PATTERN } from "./size.ts";

const SIZE = {
  description: "a size: bytes, or a number with a unit, as in 4096, 64MiB, 1GiB or 10GB",
  type: ["integer", "string"],
  minimum: 1,
  pattern: SIZE_PATTERN,
} as const;

/** Where something begins: unlike a size it may be 0. */
const OFFSET = {
  ...SIZE,
  description: `where to begin, as ${SIZE.description}`,
  minimum: 0,
} as const;

const YES_OR_NO = { description: "true or false", type: "boolean" } as const;

const NBD_KEYS = [
  "connections",
  "reconnect",
  "reconnectSeconds",
  "timeoutSeconds",
  "writeThrough",
] as const;

const SECONDS = {
  description: "a number of seconds, from 1 to 1000000",
  type: "integer",
  minimum: 1,
  maximum: 1_000_000,
} as const;

/** Keys that not every kind of disk has. */
const OPTION_KEYS = ["offset", "size", "create", "direct", ...NBD_KEYS] as const;

/** A disk of one kind, with none but these of the options. */
function only(kind: string, options: readonly (typeof OPTION_KEYS)[number][]): object {
  const others = OPTION_KEYS.filter((key) => !options.includes(key));
  return { required: [kind], not: { anyOf: others.map((key) => ({ required: [key] })) } };
}

/**
 * The stack file as a JSON schema (draft 07); `schema/stack.schema.json` is the same for editors.
 * A `description` completes "it should be …" in complaints.
 */
export const STACK_SCHEMA: Readonly<Record<string, unknown>> = {
  $schema: "http://json-schema.org/draft-07/schema#",
  $id: "urn:blkstack:stack-file:1",
  title: "blkstack stack file",
  description: "a mapping with the keys targets, disks, groups, devices and exports",
  type: "object",
  additionalProperties: false,
  properties: {
    targets: {
      description: "a list of modules with targets, as in [./xor.js, dm-xor]",
      type: "array",
      items: {
        description: "a module: a path relative to the stack file, or the name of a package",
        type: "string",
        minLength: 1,
      },
    },
    disks: {
      description: "a mapping from names to disks, as in base: { file: ./base.img }",
      type: "object",
      additionalProperties: {
        description:
          "either { file: PATH, size, create, readOnly, direct }, " +
          "{ loop: PATH, offset, size, create, readOnly }, " +
          "{ nbd: URI, size, connections, reconnect, reconnectSeconds, timeoutSeconds, writeThrough, readOnly } " +
          "or { ram: SIZE, readOnly }",
        type: "object",
        additionalProperties: false,
        properties: {
          file: {
            description: "the path of a file, relative to the stack file",
            type: "string",
            minLength: 1,
          },
          loop: {
            description: "the path of a file, relative to the stack file",
            type: "string",
            minLength: 1,
          },
          nbd: {
            description: "an NBD URI, as in nbd://host/export or nbd+unix:///export?socket=PATH",
            type: "string",
            minLength: 1,
          },
          ram: SIZE,
          offset: OFFSET,
          size: SIZE,
          create: YES_OR_NO,
          readOnly: YES_OR_NO,
          direct: YES_OR_NO,
          connections: {
            description: "a number of connections, from 1 to 16",
            type: "integer",
            minimum: 1,
            maximum: 16,
          },
          reconnect: {
            description: "none, fail or reissue",
            enum: ["none", "fail", "reissue"],
          },
          reconnectSeconds: SECONDS,
          timeoutSeconds: SECONDS,
          writeThrough: YES_OR_NO,
        },
        oneOf: [
          only("file", ["size", "create", "direct"]),
          only("loop", ["offset", "size", "create"]),
          only("nbd", ["size", ...NBD_KEYS]),
          only("ram", []),
        ],
      },
    },
    groups: {
      description:
        'a mapping from names to limits and weights, as in tenant: "rbps=10485760 weight=300"',
      type: "object",
      additionalProperties: {
        description:
          'limits in io.max words, and a weight, as in "rbps=10485760 burst=500ms weight=300"',
        type: "string",
      },
    },
    devices: {
      description: "a mapping from names to table text, as in md: 0 2048 linear base 0",
      type: "object",
      additionalProperties: {
        description: "table text, a line START LENGTH TARGET ARGUMENTS for each target",
        type: "string",
      },
    },
    exports: {
      description: "a mapping from names to exports, as in disk: { device: md }",
      type: "object",
      additionalProperties: {
        description: "an export, as in { device: md, readOnly: true }",
        type: "object",
        additionalProperties: false,
        required: ["device"],
        properties: {
          device: { description: "the name of a disk or device", type: "string", minLength: 1 },
          readOnly: YES_OR_NO,
          description: { description: "a text for people", type: "string" },
          default: YES_OR_NO,
          group: { description: "the name of a group", type: "string", minLength: 1 },
          wholeBlocks: YES_OR_NO,
        },
      },
    },
  },
};
