import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCheckpoint, parseNote, verifyCheckpoint } from "../../../infra/observe/checkpoint.ts";
import { digitallySigned, treeHeadInput, verifyTreeHead } from "../../../infra/observe/sth.ts";

const keyPair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const { privateKey, publicKey } = keyPair();
const rootHash = createHash("sha256").update("root").digest();
const body = `rekor-1.example - 42\n7\n${rootHash.toString("base64")}\n`;

function note(text: string, name = "rekor-1.example", key: KeyObject = privateKey): string {
  const spki = publicKey.export({ type: "spki", format: "der" });
  const hint = createHash("sha256").update(spki).digest().subarray(0, 4);
  const signature = Buffer.concat([hint, sign("sha256", Buffer.from(text), key)]);
  return `${text}\n— ${name} ${signature.toString("base64")}\n`;
}

describe("checkpoint", () => {
  test("a signed one says origin, size and root", () => {
    expect(verifyCheckpoint(note(body), "rekor-1.example", publicKey)).toEqual({
      origin: "rekor-1.example - 42",
      size: 7,
      rootHash,
    });
  });

  test("lines after the hash belong to what is signed", () => {
    const longer = `${body}Timestamp: 1\n`;
    expect(verifyCheckpoint(note(longer), "rekor-1.example", publicKey).size).toBe(7);
    expect(parseNote(note(longer)).body).toBe(longer);
  });

  test.each<[string, string, RegExp]>([
    ["another name", note(body, "rekor-2.example"), /signed by "rekor-2.example", not by/],
    ["another key", note(body, undefined, keyPair().privateKey), /signature does not verify/],
    ["changed size", note(body).replace("\n7\n", "\n8\n"), /signature does not verify/],
    ["no signatures", body, /no empty line/],
    ["a signature line without dash", note(body).replace("— ", ""), /malformed/],
    ["a missing end of line", note(body).trimEnd(), /does not end in signature lines/],
  ])("%s is refused", (_name, text, message) => {
    expect(() => verifyCheckpoint(text, "rekor-1.example", publicKey)).toThrow(message);
  });

  test("a key with another hint is not ours", () => {
    expect(() => verifyCheckpoint(note(body), "rekor-1.example", keyPair().publicKey)).toThrow(
      /another key/,
    );
  });

  test("any changed byte of the text is refused", () => {
    fc.assert(
      fc.property(fc.nat({ max: body.length - 2 }), (at) => {
        const changed = body.slice(0, at) + (body[at] === "x" ? "y" : "x") + body.slice(at + 1);
        const text = note(body).replace(body, changed);
        expect(() => verifyCheckpoint(text, "rekor-1.example", publicKey)).toThrow();
      }),
    );
  });

  test.each(["a\n1\n", "a\n01\nAAAA\n", "a\n-1\nAAAA\n", "a\n1\nAAAA\n", "\n1\nAAAA\n"])(
    "%j is no checkpoint",
    (text) => {
      expect(() => parseCheckpoint(text)).toThrow(/checkpoint/);
    },
  );
});

describe("signed tree head", () => {
  const unsigned = {
    tree_size: 0x0102030405,
    timestamp: 1_700_000_000_123,
    sha256_root_hash: rootHash.toString("base64"),
    tree_head_signature: "",
  };
  const wrap = (signature: Buffer, algorithms = [4, 3]) => {
    const head = Buffer.alloc(4);
    head.set(algorithms);
    head.writeUInt16BE(signature.length, 2);
    return Buffer.concat([head, signature]).toString("base64");
  };
  const signed = {
    ...unsigned,
    tree_head_signature: wrap(sign("sha256", treeHeadInput(unsigned), privateKey)),
  };

  test("the signed bytes are those of RFC 6962, section 3.5", () => {
    expect(treeHeadInput(unsigned).toString("hex")).toBe(
      `0001${"0000018bcfe5687b"}${"0000000102030405"}${rootHash.toString("hex")}`,
    );
  });

  test("verifies with the log's key only", () => {
    expect(() => verifyTreeHead(signed, publicKey)).not.toThrow();
    expect(() => verifyTreeHead(signed, keyPair().publicKey)).toThrow(/does not verify/);
    expect(() => verifyTreeHead({ ...signed, tree_size: 1 }, publicKey)).toThrow(/does not verify/);
    expect(() => verifyTreeHead({ ...signed, timestamp: 1 }, publicKey)).toThrow(/does not verify/);
  });

  test("other algorithms and broken lengths are refused", () => {
    expect(() => digitallySigned(wrap(Buffer.alloc(8), [4, 1]))).toThrow(/4\/1, not ECDSA/);
    expect(() => digitallySigned(Buffer.of(4, 3, 0, 9, 1).toString("base64"))).toThrow(/malformed/);
    expect(() => digitallySigned("")).toThrow(/malformed/);
  });
});
