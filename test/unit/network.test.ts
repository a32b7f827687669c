import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ForwardProxy } from "../support/forwardProxy.ts";
import { PrivateCa } from "../support/privateCa.ts";

// In processes of their own: what is tried changes the whole process.
const module = new URL("../../infra/observe/network.ts", import.meta.url).href;

/** What a program says that asks a URL after it has taken a bundle and the environment's proxy. */
function ask(url: string, { bundle, env = {} }: { bundle?: string; env?: NodeJS.ProcessEnv }) {
  const script = `
    const { trustAlso, useProxy } = await import(process.argv[1]);
    try {
      trustAlso(process.env.BUNDLE);
      useProxy(process.env);
      console.log(await (await fetch(process.argv[2])).text());
    } catch (error) {
      console.log(error.cause?.code ?? error.message);
    }`;
  const given = { PATH: process.env.PATH, ...(bundle === undefined ? {} : { BUNDLE: bundle }) };
  return new Promise<string>((resolve) => {
    const args = ["--input-type=module", "--eval", script, "--", module, url];
    execFile(process.execPath, args, { env: { ...given, ...env } }, (_error, stdout, stderr) =>
      resolve(stdout.trim() || stderr),
    );
  });
}

let ca: PrivateCa;
let server: Server;
let port: number;
let proxy: ForwardProxy;

beforeAll(async () => {
  ca = await PrivateCa.create();
  const { certificatePem: cert, privateKeyPem: key } = await ca.issue("localhost", "far.test");
  server = createServer({ cert, key }, (_request, response) => response.end("hello"));
  await once(server.listen(0), "listening");
  ({ port } = server.address() as AddressInfo);
  proxy = await ForwardProxy.start({ "far.test": port });
});
afterAll(() => {
  proxy.close();
  server.close();
});

describe("a server behind a private CA", () => {
  test("is trusted with the bundle alone", async () => {
    const url = `https://localhost:${port}/`;
    expect(await ask(url, {})).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    expect(await ask(url, { bundle: ca.certificatePem })).toBe("hello");
    const { certificatePem: other } = await PrivateCa.create();
    expect(await ask(url, { bundle: other + ca.certificatePem })).toBe("hello");
  });
});

describe("the proxy of the environment", () => {
  const env = (name = "HTTPS_PROXY") => ({ [name]: `http://127.0.0.1:${proxy.port}` });

  test.each(["HTTPS_PROXY", "https_proxy"])("%s leads to what only it can name", async (name) => {
    const bundle = ca.certificatePem;
    expect(await ask("https://far.test/", { bundle })).toMatch(/ENOTFOUND|EAI_AGAIN/);
    expect(await ask("https://far.test/", { bundle, env: env(name) })).toBe("hello");
    expect(proxy.asked.at(-1)).toBe("far.test:443");
  });

  test("is no way to this machine, nor to what NO_PROXY excepts", async () => {
    const [bundle, before] = [ca.certificatePem, proxy.asked.length];
    expect(await ask(`https://localhost:${port}/`, { bundle, env: env() })).toBe("hello");
    const excepted = { ...env(), NO_PROXY: "far.test" };
    expect(await ask("https://far.test/", { bundle, env: excepted })).toMatch(
      /ENOTFOUND|EAI_AGAIN/,
    );
    expect(proxy.asked).toHaveLength(before);
  });

  test("that is no URL is one error, which does not show it", async () => {
    const said = await ask("https://far.test/", { env: { HTTPS_PROXY: "user:not-shown@proxy" } });
    expect(said).toContain("HTTPS_PROXY is no URL of a proxy");
    expect(said).not.toContain("not-shown");
  });
});
