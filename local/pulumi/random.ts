import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { genSalt, hash } from "bcryptjs";
import { bridgedPlugin, type BridgedType } from "./bridged.ts";
import { numberAt, textAt, type Props } from "./values.ts";

const CLASSES = {
  lower: "abcdefghijklmnopqrstuvwxyz",
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  numeric: "0123456789",
  special: "!@#$%&*()-_=+[]{}<>:?",
} as const;

const MINIMUM = {
  lower: "minLower",
  upper: "minUpper",
  numeric: "minNumeric",
  special: "minSpecial",
} as const;

function pick(alphabet: string, count: number): string[] {
  return Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)] ?? "");
}

function shuffled<T>(items: readonly T[]): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}

/** A password of `length` letters with at least the asked number of each class. */
function password(inputs: Props): string {
  const length = numberAt(inputs, "length");
  const special = textAt(inputs, "overrideSpecial") || CLASSES.special;
  const alphabets = { ...CLASSES, special };
  const names = Object.keys(CLASSES) as (keyof typeof CLASSES)[];
  const required = names.flatMap((name) => pick(alphabets[name], numberAt(inputs, MINIMUM[name])));
  const all = names.map((name) => (inputs[name] === true ? alphabets[name] : "")).join("");
  if (all === "" || required.length > length) {
    throw new Error("random.RandomPassword: the length and the classes asked for do not fit.");
  }
  return shuffled([...required, ...pick(all, length - required.length)]).join("");
}

const randomPassword: BridgedType = {
  defaults: {
    lower: true,
    minLower: 0,
    minNumeric: 0,
    minSpecial: 0,
    minUpper: 0,
    number: true,
    numeric: true,
    special: true,
    upper: true,
  },
  optional: ["keepers", "overrideSpecial"],
  computed: ["bcryptHash", "result"],
  secrets: ["bcryptHash", "result"],
  schemaVersion: "3",
  generate: async (inputs) => {
    const result = password(inputs);
    // $2a$ as Go's bcrypt writes it; for passwords of up to 72 bytes $2b$ means the same.
    const salt = (await genSalt(10)).replace("$2b$", "$2a$");
    const bcryptHash = await hash(result.slice(0, 72), salt);
    return { id: "none", outputs: { result, bcryptHash } };
  },
};

const randomId: BridgedType = {
  defaults: {},
  optional: ["keepers", "prefix"],
  computed: ["b64Std", "b64Url", "dec", "hex"],
  secrets: [],
  generate: (inputs) => {
    const bytes = randomBytes(numberAt(inputs, "byteLength"));
    const prefix = textAt(inputs, "prefix");
    const hex = bytes.toString("hex");
    return Promise.resolve({
      id: bytes.toString("base64url"),
      outputs: {
        b64Std: prefix + bytes.toString("base64"),
        b64Url: prefix + bytes.toString("base64url"),
        dec: prefix + BigInt(`0x${hex}`).toString(),
        hex: prefix + hex,
      },
    });
  },
};

const randomUuid: BridgedType = {
  defaults: {},
  optional: ["keepers"],
  computed: ["result"],
  secrets: [],
  generate: () => {
    const result = randomUUID();
    return Promise.resolve({ id: result, outputs: { result } });
  },
};

/** Stand-in for pulumi-random: passwords, ids and UUIDs. */
export const randomPlugin = bridgedPlugin("random", {
  "random:index/randomPassword:RandomPassword": randomPassword,
  "random:index/randomId:RandomId": randomId,
  "random:index/randomUuid:RandomUuid": randomUuid,
});
