// What a preview says of token issuers that it asks, and that nothing is made of a wrong list.
import { afterAll, beforeAll, expect, test } from "vitest";
import { GitLabStandIn } from "../support/issuer/gitLabStandIn.ts";
import { ProgramUnderTest } from "./support/stack.ts";

let program: ProgramUnderTest;
let gitLab: GitLabStandIn;

beforeAll(async () => {
  program = await ProgramUnderTest.create();
  gitLab = await GitLabStandIn.start();
});
afterAll(async () => {
  await gitLab.close();
  await program.close();
});

const clusters = { type: "kubernetes", issuer: "https://kubernetes.default.svc", clientId: "a" };
const preview = async (...issuers: object[]) => {
  program.configure({ issuers: [clusters, ...issuers] });
  const { code, changes, errors, log } = await program.engine.preview();
  const warnings = log.diagnostics.filter(({ severity }) => severity === "warning");
  return {
    ...{ code, changes, said: oneText(errors) },
    warned: oneText(warnings.map(({ message }) => message)),
  };
};
/** Pulumi breaks long messages into lines. */
const oneText = (messages: readonly string[]) => messages.join("\n").replace(/\s+/g, " ");

test("an issuer that answers as it should is nothing to speak of", async () => {
  const issuer = { type: "email", issuer: gitLab.url, clientId: gitLab.clientId };
  const { code, said, warned } = await preview(issuer);
  expect(code, said).toBe(0);
  expect(warned).not.toContain("issuer");
});

test("one that its own document denies is refused, before anything is registered", async () => {
  const issuer = { type: "email", issuer: `${gitLab.url}/`, clientId: gitLab.clientId };
  const { code, said, changes } = await preview(issuer);
  expect(code).not.toBe(0);
  expect(said).toContain("nothing was changed");
  expect(said).toContain(
    `anchorhold:issuers.1.issuer: the document at ${gitLab.url}/.well-known/openid-configuration is ` +
      `that of ${gitLab.url}.`,
  );
  expect(changes.filter(({ type }) => !type.startsWith("pulumi:"))).toEqual([]);
  expect(program.engine.cluster.all()).toEqual([]);
});

test("one that does not answer is a warning", async () => {
  const silent = "http://127.0.0.1:9";
  const { code, said, warned } = await preview({ type: "email", issuer: silent, clientId: "a" });
  expect(code, said).toBe(0);
  expect(warned).toContain(`The token issuer ${silent} does not answer from here (`);
});

test("a list that Fulcio could not load is refused without a question", async () => {
  const both = ["email", "gitlab-pipeline"].map((type) => ({
    ...{ type, issuer: gitLab.url, clientId: "a" },
  }));
  const { code, said } = await preview(...both);
  expect(code).not.toBe(0);
  expect(said).toContain(`${gitLab.url} is listed 2 times`);
  expect(said).toContain("docs/issuers.md, People and pipelines of one GitLab");
});
