import { describe, expect, test } from "vitest";
import { namespacesRestricted, networkPolicies } from "../../../policies/rules/namespaces.ts";
import { stackViolations, unknownText, violations, type Given } from "./support.ts";

const enforce = "pod-security.kubernetes.io/enforce";

function namespace(name: string, labels?: object): Given {
  const metadata = { name, ...(labels === undefined ? {} : { labels }) };
  return { type: "kubernetes:core/v1:Namespace", name, props: { metadata } };
}

function policy(namespaceName: string, spec: object): Given {
  const props = { metadata: { name: "p", namespace: namespaceName }, spec };
  return { type: "kubernetes:networking.k8s.io/v1:NetworkPolicy", name: "p", props };
}

test("namespaces-restricted", async () => {
  const check = (labels?: object) => violations(namespacesRestricted, namespace("n", labels));
  expect(await check({ [enforce]: "restricted", other: "x" })).toEqual([]);
  for (const labels of [
    undefined,
    {},
    { [enforce]: "baseline" },
    { [enforce]: unknownText },
    { "pod-security.kubernetes.io/warn": "restricted" },
  ])
    expect(await check(labels)).toEqual(["Namespace n does not enforce it"]);
});

describe("network-policies", () => {
  const denying = { podSelector: {}, policyTypes: ["Ingress", "Egress"] };
  const check = (...policies: Given[]) =>
    stackViolations(networkPolicies, [namespace("n"), ...policies]);
  const refused = ["Namespace n has none"];

  test("one that denies all", async () => {
    expect(await check(policy("n", denying))).toEqual([]);
    expect(await check(policy("n", { ...denying, ingress: [], egress: [] }))).toEqual([]);
  });

  test("each namespace needs its own", async () => {
    expect(await check()).toEqual(refused);
    expect(await check(policy("m", denying))).toEqual(refused);
    expect(await check(policy("n", denying), namespace("m"))).toEqual(["Namespace m has none"]);
  });

  test.each([
    ["some pods alone", { ...denying, podSelector: { matchLabels: { a: "b" } } }],
    ["pods that are not known yet", { ...denying, podSelector: unknownText }],
    ["one direction", { ...denying, policyTypes: ["Ingress"] }],
    ["no direction by name", { podSelector: {} }],
    ["something let in", { ...denying, ingress: [{}] }],
    ["something let out", { ...denying, egress: [{ ports: [{ port: 53 }] }] }],
  ])("%s is not enough", async (_what, spec) => {
    expect(await check(policy("n", spec))).toEqual(refused);
  });
});
