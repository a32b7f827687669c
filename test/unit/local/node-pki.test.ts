import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { certificates, ensurePki } from "../../../local/node/pki.ts";

const folder = mkdtempSync(join(tmpdir(), "anchorhold-pki-"));
const pki = join(folder, "pki");
const kubeconfig = join(folder, "kubeconfig");
const read = (name: string): string => readFileSync(join(pki, name), "utf8");
const certificate = (name: string): X509Certificate => new X509Certificate(read(`${name}.crt`));

beforeAll(() => ensurePki(pki, kubeconfig));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the node's certificates", () => {
  test.each(certificates)("$name is signed by its CA alone and fits its key", (spec) => {
    const own = certificate(spec.name);
    const other = spec.ca === "ca" ? "etcd-ca" : "ca";
    expect(own.verify(certificate(spec.ca).publicKey)).toBe(true);
    expect(own.verify(certificate(other).publicKey)).toBe(false);
    expect(own.checkPrivateKey(createPrivateKey(read(`${spec.name}.key`)))).toBe(true);
    expect(own.subject.split("\n")).toEqual([
      ...(spec.organization === undefined ? [] : [`O=${spec.organization}`]),
      `CN=${spec.commonName}`,
    ]);
    expect(own.ca).toBe(false);
    const usages = [
      ...(spec.server ? ["1.3.6.1.5.5.7.3.1"] : []),
      ...(spec.client ? ["1.3.6.1.5.5.7.3.2"] : []),
    ];
    expect(own.keyUsage).toEqual(usages); // Node gives the extended key usages by this name
    const years = (Date.parse(own.validTo) - Date.now()) / (365 * 24 * 3600 * 1000);
    expect(years).toBeGreaterThan(9);
  });

  test("the API server's certificate holds all names that it is reached by", () => {
    const own = certificate("kube-apiserver");
    for (const ip of ["127.0.0.1", "10.244.0.1", "10.96.0.1"]) expect(own.checkIP(ip)).toBe(ip);
    for (const host of ["localhost", "kubernetes.default.svc"]) {
      expect(own.checkHost(host)).toBe(host);
    }
    expect(own.checkHost("example.com")).toBeUndefined();
  });

  test("keys and kubeconfig are for their owner only", () => {
    const files = [kubeconfig, join(pki, "ca.key"), join(pki, "sa.key"), join(pki, "admin.key")];
    for (const file of files) expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("the kubeconfig is the administrator's", () => {
    const config = parse(readFileSync(kubeconfig, "utf8")) as {
      users: { user: Record<string, string> }[];
      clusters: { cluster: { server: string } }[];
    };
    const data = config.users[0]!.user["client-certificate-data"]!;
    expect(Buffer.from(data, "base64").toString()).toBe(read("admin.crt"));
    expect(config.clusters[0]!.cluster.server).toBe("https://10.244.0.1:26443");
  });

  test("a second start keeps every byte", async () => {
    const names = ["ca.crt", "sa.key", "etcd.key", "kubelet.kubeconfig"];
    const before = names.map(read);
    await ensurePki(pki, kubeconfig);
    expect(names.map(read)).toEqual(before);
  });
});
