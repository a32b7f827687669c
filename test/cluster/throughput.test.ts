// What hardening costs: signatures a second and their median time, beside a stack that has none of it,
// on the same node, in turns.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StackOutputs } from "../../infra/outputs.ts";
import { stackNamespaces } from "../../infra/scaffold/names.ts";
import { strip } from "./support/bare.ts";
import { cachedToken } from "./support/identity.ts";
import { SigstoreJs } from "./support/js.ts";
import { SecondStack } from "./support/secondStack.ts";
import { describeStack } from "./support/stack.ts";

type Sign = (data: Buffer) => Promise<string>;

const parallel = [1, 8, 32] as const;
const rounds = 5;
const roundMs = 6_000;

interface Measured {
  /** Signatures a second. */
  rate: number;
  /** Median time of one, in ms. */
  p50: number;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** So many sign without a pause for a while; a failure ends it. */
async function measure(sign: Sign, workers: number): Promise<Measured> {
  const times: number[] = [];
  const begin = performance.now();
  const work = async () => {
    while (performance.now() - begin < roundMs) {
      const started = performance.now();
      await sign(randomBytes(64));
      times.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return { rate: (times.length / (performance.now() - begin)) * 1000, p50: median(times) };
}

await describeStack("hardened, beside the plain chart", ({ outputs }) => {
  let second: SecondStack;
  const clients: SigstoreJs[] = [];
  let hardened: Sign;
  let plain: Sign;

  async function signer(of: StackOutputs): Promise<Sign> {
    const client = await SigstoreJs.start({ outputs: of }, { token: cachedToken(of) });
    clients.push(client);
    return client.steady();
  }

  beforeAll(async () => {
    second = await SecondStack.deploy();
    const other = await second.outputs();
    await strip(stackNamespaces(other.prefix, [1]).filter((name) => !name.endsWith("-tuf")));
    [hardened, plain] = [await signer(outputs), await signer(other)];
    for (const sign of [hardened, plain]) await measure(sign, 8); // warm
  });

  afterAll(async () => {
    for (const client of clients) await client.dispose();
    await second.remove();
  });

  test.each(parallel)("%d in parallel: no slower than without", async (workers) => {
    const all = { hardened: [] as Measured[], plain: [] as Measured[] };
    for (let round = 0; round < rounds; round += 1) {
      all.hardened.push(await measure(hardened, workers));
      all.plain.push(await measure(plain, workers));
    }
    const row = (of: readonly Measured[]) => {
      const rates = of.map(({ rate }) => rate);
      return {
        "a second": median(rates).toFixed(1),
        from: Math.min(...rates).toFixed(1),
        to: Math.max(...rates).toFixed(1),
        "p50 ms": median(of.map(({ p50 }) => p50)).toFixed(0),
      };
    };
    console.log(`${workers} in parallel, ${rounds} rounds of ${roundMs / 1000} s each, in turns`);
    console.table({ hardened: row(all.hardened), plain: row(all.plain) });
    const ratio = (pick: (of: Measured) => number) =>
      median(all.hardened.map(pick)) / median(all.plain.map(pick));
    // Five in a hundred is what two rounds of the same stack differ by.
    expect(ratio(({ rate }) => rate)).toBeGreaterThan(0.95);
    expect(ratio(({ p50 }) => p50)).toBeLessThan(1.05);
  });
});
