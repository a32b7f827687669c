import { expect, test } from "vitest";
import * as YAML from "yaml";
import { kindConfig, nodeImage, portsOf } from "../../../local/kind/config.ts";
import { committedPorts } from "../../../local/stack/committed.ts";
import { ownConfig } from "../../support/stacks.ts";

interface Config {
  name: string;
  nodes: {
    image: string;
    extraPortMappings: Record<string, unknown>[];
    kubeadmConfigPatches: string[];
  }[];
}

const config = YAML.parse(kindConfig(committedPorts())) as Config;
const [node] = config.nodes;

test("one node, whose image is pinned by digest", () => {
  expect(config).toMatchObject({
    kind: "Cluster",
    apiVersion: "kind.x-k8s.io/v1alpha4",
    name: "anchorhold",
  });
  expect(config.nodes).toHaveLength(1);
  expect(node?.image).toBe(nodeImage);
  expect(nodeImage).toMatch(/^kindest\/node:v1\.34\.\d+@sha256:[0-9a-f]{64}$/);
});

test("every node port of the local stack leads to the same port of this machine, and of no other", () => {
  const ports = [31080, 31081, 31082, 31083, 31091];
  expect(portsOf(committedPorts()).sort()).toEqual(ports);
  expect(node?.extraPortMappings).toEqual(
    ports.map((port) => ({
      containerPort: port,
      hostPort: port,
      listenAddress: "127.0.0.1",
      protocol: "TCP",
    })),
  );
});

test("the cluster signs its tokens as the issuer that the local stack accepts", () => {
  const [issuer] = ownConfig("local")["anchorhold:issuers"] as { issuer: string }[];
  const patches = node?.kubeadmConfigPatches.map((text) => YAML.parse(text) as object);
  expect(patches).toEqual([
    {
      kind: "ClusterConfiguration",
      apiServer: {
        extraArgs: {
          "service-account-issuer": issuer?.issuer,
          "service-account-jwks-uri": `${issuer?.issuer}/openid/v1/jwks`,
        },
      },
    },
  ]);
});
