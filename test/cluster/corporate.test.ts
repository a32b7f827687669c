// Identity tokens of an issuer behind a private CA, and every address of the stack behind TLS of that
// CA, in a network that only the company's proxy leads through: cosign, @sigstore/* and
// sigstore-python sign and verify, each with what docs/corporate-network.md tells it.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { oneLine } from "../../cli/errors.ts";
import type { StackOutputs } from "../../infra/outputs.ts";
import { PrivateCa } from "../support/privateCa.ts";
import { Company, person } from "./support/company.ts";
import { as, Cosign } from "./support/cosign.ts";
import type { LoadResult } from "./support/jsProgram.ts";
import { isOurNode, whySkipped } from "./support/node.ts";
import { run, type Run } from "./support/process.ts";
import { SigstorePython } from "./support/python.ts";
import { asDeployer, describeStack, projectRoot } from "./support/stack.ts";

const verified = "verified";
const jsProgram = "test/cluster/support/jsProgram.ts";
const outcome = ({ code, stdout, stderr }: Run) => (code === 0 ? verified : stdout + stderr);

await describeStack("a company's network", ({ cosign: program }) => {
  describe.skipIf(!isOurNode)(`with a private CA, a proxy and its own time${whySkipped}`, () => {
    let company: Company;
    let outputs: StackOutputs;
    beforeAll(async () => {
      company = await Company.open();
      outputs = await company.stack.outputs();
    });
    afterAll(() => company.close());

    const token = () => company.issuer.token(person.name);
    const environment = (env: NodeJS.ProcessEnv) => ({
      ...asDeployer(),
      ...company.way,
      SIGSTORE_ID_TOKEN: token(),
      ...env,
    });
    // Their TUF client asks by Node's own fetch, which goes by the variables of the proxy only then.
    const nodeFetch = (env: NodeJS.ProcessEnv) => ({ NODE_USE_ENV_PROXY: "1", ...env });
    const nodeProgram = (script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
      run(process.execPath, [script, ...args], { cwd: projectRoot, env: environment(env) });
    const js = (command: string, blob: string, bundle: string, env: NodeJS.ProcessEnv) =>
      nodeProgram(
        jsProgram,
        [command, company.stack.outputsFile, blob, bundle, person.name, person.issuer],
        nodeFetch(env),
      );
    const verify = () =>
      nodeProgram("cli/main.ts", ["verify", "--outputs", company.stack.outputsFile]);
    const withCa = () => ({ NODE_EXTRA_CA_CERTS: company.caFile });
    const file = (name: string) => company.caFile.replace(/[^/]*$/, name);

    describe("without the company's CA", () => {
      test("each client says so in its own words", async () => {
        const open = { env: company.way };
        await expect(Cosign.initialize({ cosign: program, outputs }, open)).rejects.toThrow(
          /x509: certificate signed by unknown authority/,
        );
        await writeFile(file("blob"), randomBytes(64));
        const said = await js("sign", file("blob"), file("none"), {});
        expect(said.stderr).toMatch(/unable to verify the first certificate/);
        await expect(SigstorePython.trustInstance({ outputs }, open)).rejects.toThrow(
          /CERTIFICATE_VERIFY_FAILED/,
        );
        const own = await verify();
        expect(own.code).toBe(1);
        expect(own.stdout).toMatch(/unable to verify the first certificate/);
        expect(own.stdout).toContain("name it in anchorhold:caBundle");
      });

      test("Fulcio refuses the issuer's tokens, and says why in its log", async () => {
        const said = await js("sign", file("blob"), file("none"), withCa());
        expect(said.code).toBe(1);
        expect(said.stderr).toContain("There was an error processing the identity token");
        expect(await company.fulcioLogs()).toMatch(
          /gitlab\.corp\.test.*x509: certificate signed by unknown authority/,
        );
      });
    });

    describe("with it", () => {
      let cosign: Cosign;
      let python: SigstorePython;
      beforeAll(async () => {
        await company.stack.update({ "anchorhold:caBundle": company.ca.certificatePem });
        outputs = await company.stack.outputs();
        const options = (env: NodeJS.ProcessEnv) => ({
          token: () => Promise.resolve(token()),
          env: { ...company.way, ...env },
        });
        const ca = company.caFile;
        cosign = await Cosign.initialize(
          { cosign: program, outputs },
          options({ SSL_CERT_FILE: ca }),
        );
        python = await SigstorePython.trustInstance(
          { outputs },
          options({ SSL_CERT_FILE: ca, REQUESTS_CA_BUNDLE: ca }),
        );
      });
      afterAll(async () => {
        await cosign.dispose();
        await python.dispose();
      });

      const clients = [
        {
          name: "cosign",
          sign: async (blob: string, bundle: string) =>
            void (await cosign.sign("sign-blob", blob, "--bundle", bundle)),
          verify: async (blob: string, bundle: string) =>
            outcome(await cosign.run("verify-blob", blob, "--bundle", bundle, ...as(person))),
        },
        {
          name: "sigstore-js",
          sign: async (blob: string, bundle: string) =>
            expect(outcome(await js("sign", blob, bundle, withCa()))).toBe(verified),
          verify: async (blob: string, bundle: string) =>
            outcome(await js("verify", blob, bundle, withCa())),
        },
        {
          name: "sigstore-python",
          sign: (blob: string, bundle: string) => python.sign(blob, bundle),
          verify: async (blob: string, bundle: string) => {
            const who = ["--cert-identity", person.name, "--cert-oidc-issuer", person.issuer];
            const args = ["verify", "identity", "--bundle", bundle, ...who, blob];
            return outcome(await python.run(...args));
          },
        },
      ];

      // First, as after every deployment: of entry 0 of a log cosign writes no index (protobuf leaves
      // zeros out of JSON), and sigstore-python takes no bundle without one.
      test("anchorhold verify and doctor need nothing but the proxy: the outputs name the CA", async () => {
        const { code, stdout } = await verify();
        expect(code, stdout).toBe(0);
        await writeFile(file("state.json"), await company.stack.exportState());
        const found = await nodeProgram("cli/main.ts", ["doctor", "--state", file("state.json")]);
        expect(found.code, found.stdout + found.stderr).toBe(0);
      });

      test.each(clients)("a bundle of $name verifies in all of them", async (signer) => {
        const [blob, other, bundle] = ["blob", "other", "bundle.json"].map((part) =>
          file(`${signer.name}-${part}`),
        ) as [string, string, string];
        await writeFile(blob, randomBytes(64));
        await writeFile(other, randomBytes(64));
        await signer.sign(blob, bundle);
        for (const verifier of clients) {
          expect(await verifier.verify(blob, bundle), verifier.name).toBe(verified);
          expect(await verifier.verify(other, bundle), verifier.name).not.toBe(verified);
        }
      });

      test("cosign takes SSL_CERT_DIR as well; sigstore-python needs both of its variables", async () => {
        const ca = company.caFile;
        const byFolder = { ...company.way, SSL_CERT_DIR: dirname(ca) };
        const other = await Cosign.initialize({ cosign: program, outputs }, { env: byFolder });
        await other.dispose();
        await writeFile(file("blob"), randomBytes(64));
        for (const alone of [{ SSL_CERT_FILE: ca }, { REQUESTS_CA_BUNDLE: ca }]) {
          const half = await SigstorePython.trustInstance(
            { outputs },
            { token: () => Promise.resolve(token()), env: { ...company.way, ...alone } },
          ).catch((error: unknown) => oneLine(error));
          const said =
            typeof half === "string"
              ? half
              : await half.sign(file("blob"), file("none")).then(() => verified, oneLine);
          expect(said, Object.keys(alone)[0]).toMatch(/CERTIFICATE_VERIFY_FAILED/);
          if (typeof half !== "string") await half.dispose();
        }
      });

      test("the issuer was asked through the proxy, and the time by pods", () => {
        expect(company.proxy.asked).toContain("gitlab.corp.test:443");
        expect(company.issuer.asked).toContain("/keys");
        const pods = [...company.time.callers].filter((from) => !from.endsWith(".0.1"));
        expect(pods.length).toBeGreaterThan(0);
      });

      test("another bundle rolls Fulcio without a dropped request", async () => {
        const former = await fulcioPods();
        const second = await PrivateCa.create("Second CA");
        const load = startLoad();
        await sleep(5_000);
        await company.stack.update({
          "anchorhold:caBundle": company.ca.certificatePem + second.certificatePem,
        });
        await sleep(10_000);
        const { signed, failures } = await load.stop();
        console.log(`${signed} signatures while Fulcio rolled, ${failures.length} failed`);
        expect((await fulcioPods()).filter((uid) => former.includes(uid))).toEqual([]);
        expect(failures).toEqual([]);
        expect(signed).toBeGreaterThan(50);
      });

      const fulcioPods = async () =>
        (await company.stack.pods())
          .filter(({ metadata }) => metadata?.namespace?.endsWith("-fulcio"))
          .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
          .map(({ metadata }) => metadata?.uid ?? "");

      /** Signers in a process of their own, each with a token of the private issuer. */
      function startLoad(): { stop(): Promise<LoadResult> } {
        const args = [jsProgram, "load", company.stack.outputsFile];
        const env = environment(nodeFetch({ NODE_EXTRA_CA_CERTS: company.caFile }));
        const child = spawn(process.execPath, args, {
          cwd: projectRoot,
          env,
          stdio: ["pipe", "pipe", "inherit"],
        });
        const said = text(child.stdout);
        return {
          stop: async () => {
            child.stdin.end();
            return JSON.parse(await said) as LoadResult;
          },
        };
      }
    });
  });
});
