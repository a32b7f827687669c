import type { Values } from "../../support/stacks.ts";
import type { Seed } from "./seeded.ts";

/** How a rule is broken in production: by edits of the program, of the stack file, or of the rule. */
export interface Breach {
  program?: Seed[];
  /** In place of the shipped configuration's values. */
  config?: Values;
  /** Settings under which what is shipped breaks it. */
  rule?: object;
}

const one = { "1": "active" };
const unannounced = {
  fulcioCa: { "1": "draining", "2": "active" },
  ...{ ctLog: one, rekor: one, tsa: one, tufRoot: one, tufOnline: one },
};

/** One violation a rule; they are in different places, so one preview shows them all. */
export const breaches: Record<string, Breach> = {
  "trust-protected": {
    program: [
      {
        file: "trust/signingKey.ts",
        from: "{ ...opts, ...trustOptions }",
        to: "{ ...opts, protect: false }",
      },
    ],
  },
  "records-frozen": {
    program: [
      { file: "trust/record.ts", from: 'ignoreChanges: ["input"]', to: "ignoreChanges: []" },
    ],
  },
  "values-without-secrets": {
    program: [
      { file: "scaffold/values/tsa.ts", from: "env: {", to: 'env: { SIGNER_PASSWORD: "seeded",' },
    ],
  },
  "values-without-made-secrets": {
    program: [
      {
        file: "platform/database.ts",
        from: "this.flagSecretName = flags.metadata.name;",
        to: "this.flagSecretName = trillianPassword;",
      },
    ],
  },
  "generators-off": {
    program: [
      {
        file: "scaffold/values/fulcio.ts",
        from: "createcerts: { enabled: false }",
        to: "createcerts: { enabled: true }",
      },
    ],
  },
  "images-pinned": {
    program: [
      {
        file: "scaffold/values/tsa.ts",
        from: "image: chartImage(args.image)",
        to: 'image: chartImage({ ...args.image, version: "latest" })',
      },
    ],
  },
  "pods-restricted": {
    program: [
      {
        file: "scaffold/values/ctLog.ts",
        from: "...podValues(args, args.sizes.ctLog),",
        to: "resources: args.sizes.ctLog,",
      },
    ],
  },
  "namespaces-restricted": {
    program: [
      {
        file: "platform/namespace.ts",
        from: "{ ...guard.labels, ...podSecurityLabels }",
        to: "{ ...guard.labels }",
      },
    ],
  },
  "network-policies": {
    program: [
      {
        file: "platform/networkPolicies.ts",
        from: 'spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },',
        to: 'spec: { podSelector: {}, policyTypes: ["Ingress"] },',
      },
    ],
  },
  "requests-set": {
    program: [
      {
        file: "scaffold/sizes.ts",
        from: "requests: { cpu, memory: `${request}Mi` },",
        to: "requests: { cpu },",
      },
    ],
  },
  "limits-set": {
    program: [
      {
        file: "scaffold/sizes.ts",
        from: "limits: { memory: `${limit}Mi` },",
        to: "limits: { cpu: `${limit}m` },",
      },
    ],
  },
  "fits-quota": {
    program: [
      {
        file: "platform/quota.ts",
        from: '"requests.memory": memory }',
        to: '"requests.memory": "100Mi" }',
      },
    ],
  },
  "servers-replicated": { config: { replicas: { tsa: 1 } } },
  "disruption-budgets": {
    program: [
      {
        file: "scaffold/postrender/rules.ts",
        from: "withBudgets(withTlsProxies",
        to: "Array.from(withTlsProxies",
      },
    ],
  },
  "servers-spread": {
    program: [
      {
        file: "scaffold/postrender/rolling.ts",
        from: "spread.length > 0 ? spread : [spreadOver(selector)]",
        to: "spread",
      },
    ],
  },
  "data-persistent": {
    program: [
      {
        file: "scaffold/postrender/yaml.ts",
        from: "parseAllDocuments(text,",
        to: 'parseAllDocuments(text.replaceAll(/persistentVolumeClaim:\\s+claimName: \\S+/g, "emptyDir: {}"),',
      },
    ],
  },
  "lead-time-floor": { config: { leadTime: "23h" } },
  "announced-before-active": {
    program: [
      {
        file: "trust/life.ts",
        from: "if (used === undefined || used === number)",
        to: "if (number > 1 || used === undefined || used === number)",
      },
    ],
    config: { trust: unannounced },
  },
  horizons: { config: { tufLife: { root: 3650, targets: 20, snapshot: 3650 } } },
  // The chart that this machine has.
  "stand-ins-local": {},
  "secrets-provider": { rule: { providers: ["awskms"] } },
};
