import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { askIssuer } from "../../infra/observe/discovery.ts";
import { canBeAsked, judge } from "../../infra/preflight/issuers.ts";
import { GitLabStandIn } from "../support/issuer/gitLabStandIn.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server that answers every request alike. @returns its URL */
async function serve(
  status: number,
  body: (url: string) => string,
  headers: (url: string) => Record<string, string> = () => ({}),
): Promise<string> {
  let url = "";
  server = createServer((_request, response) => {
    response.writeHead(status, headers(url)).end(body(url));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return url;
}

const judged = async (issuer: string, timeoutMs?: number) =>
  judge(issuer, await askIssuer(issuer, timeoutMs));
const document = (changes: object) => (url: string) =>
  JSON.stringify({ issuer: url, jwks_uri: `${url}/keys`, ...changes });

describe("an issuer's answer", () => {
  test("of a GitLab is good, and with a path its own document denies it", async () => {
    const gitLab = await GitLabStandIn.start();
    expect(await judged(gitLab.url)).toEqual({ result: "good" });
    const path = await judged(`${gitLab.url}/my-group`);
    await gitLab.close();
    expect(path).toMatchObject({
      result: "wrong",
      why: expect.stringContaining("HTTP 404") as string,
    });
  });

  test.each([
    [
      "another issuer's",
      document({ issuer: "https://gitlab.test" }),
      "is that of https://gitlab.test",
    ],
    [
      "with another slash",
      (url: string) => document({ issuer: `${url}/` })(url),
      "not even with a slash",
    ],
    ["without keys", document({ jwks_uri: undefined }), "has no URL as jwks_uri"],
    ["without an issuer", document({ issuer: undefined }), "has no issuer"],
    ["that is a list", () => "[]", "has no issuer"],
    ["that is a page", () => "<html>", "answers no JSON"],
  ])("with a document %s is wrong", async (_what, body, why) => {
    const url = await serve(200, body);
    expect(await judged(url)).toEqual({
      result: "wrong",
      why: expect.stringContaining(why) as string,
    });
  });

  test("that leads to another host is wrong, as Fulcio does not follow", async () => {
    const gitLab = await GitLabStandIn.start();
    const there = `${gitLab.url}/.well-known/openid-configuration`;
    const url = await serve(
      302,
      () => "",
      () => ({ Location: there }),
    );
    const judgement = await judged(url);
    await gitLab.close();
    expect(judgement).toMatchObject({ result: "wrong" });
    expect(JSON.stringify(judgement)).toContain(`leads to ${new URL(gitLab.url).host}`);
  });

  test.each([403, 429, 500, 503])("of HTTP %i is as good as none", async (status) => {
    const url = await serve(status, () => "");
    expect(await judged(url)).toEqual({ result: "silent", why: `HTTP ${status}` });
  });

  test("that never comes is waited for a bounded time", async () => {
    server = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await judged(url, 300)).toEqual({ result: "silent", why: "no answer within 0.3 s" });
    server.closeAllConnections();
    server.close();
    await once(server, "close");
    const refused = await judged(url);
    expect(refused).toMatchObject({ result: "silent" });
    expect(JSON.stringify(refused)).toContain("ECONNREFUSED");
  });
});

test("wildcards and Services of the cluster are not asked", () => {
  const asked = ["https://gitlab.test", "http://127.0.0.1:8080/a"];
  const not = [
    "https://kubernetes.default.svc",
    "https://*.company.test",
    "http://dex.dex.svc:5556",
  ];
  expect(asked.map(canBeAsked)).toEqual([true, true]);
  expect(not.map(canBeAsked)).toEqual([false, false, false]);
});
