import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Manifest } from "../../infra/scaffold/postrender/manifest.ts";
import { pullSecrets, samples, type Sample } from "../support/scaffoldSamples.ts";
import { byKey, cases, postrender, standIn } from "./support/charts.ts";
import { findHelm, objects, render } from "./support/helm.ts";

// What the program relies on in the chart, given by the stand-in. The real one is compared with it in
// chart-real.test.ts.

let helm: string;
beforeAll(async () => {
  helm = await findHelm();
});

/** The part of a pod that says what a container finds in its file system. */
interface Mounts {
  volumes?: { name: string; persistentVolumeClaim?: { claimName: string } }[];
  containers: { args: string[]; volumeMounts?: { name: string; mountPath: string }[] }[];
}

/** The claim whose volume a path of the first container lies on. */
function claimOf({ volumes = [], containers }: Mounts, path: string): string | undefined {
  const mounts = (containers[0]?.volumeMounts ?? [])
    .filter(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`))
    .sort((a, b) => b.mountPath.length - a.mountPath.length);
  const volume = volumes.find(({ name }) => name === mounts[0]?.name);
  return volume?.persistentVolumeClaim?.claimName;
}

/** The value of a flag that counts: the last one. */
const flagOf = ({ containers }: Mounts, flag: string) =>
  containers[0]?.args.findLast((arg) => arg.startsWith(`${flag}=`))?.slice(flag.length + 1);

interface Rendered {
  spec: {
    type?: string;
    ports?: { port: number; targetPort: number; nodePort?: number }[];
    selector: Record<string, string>;
    template: {
      metadata: { labels: Record<string, string> };
      spec: {
        automountServiceAccountToken: boolean;
        imagePullSecrets?: { name: string }[];
        securityContext: Record<string, unknown>;
        initContainers?: Record<string, unknown>[];
        containers: Record<string, unknown>[];
      };
    };
  };
  data: Record<string, string>;
}

/** One object of a sample's Release, as the stand-in and the post-renderer give it. */
function rendered(sample: Sample, kind: string, name: string): Rendered {
  const found = byKey(objects(helm, standIn, sample, postrender));
  const object = found[`${kind} ${sample.namespace}/${name}`];
  expect(object, `${kind} ${name} in ${Object.keys(found).join(", ")}`).toBeDefined();
  return object as unknown as Rendered;
}

function named(exposure: string, release: string): Sample {
  const sample = samples[exposure]?.find((item) => item.release === release);
  if (sample === undefined) throw new Error(`no sample ${release}, ${exposure}`);
  return sample;
}

describe("the stand-in chart gives what the program relies on", () => {
  test.each(cases)("$title: objects, selectors, pods", ({ sample }) => {
    const manifests = objects(helm, standIn, sample, postrender);
    const kinds = new Set(manifests.map(({ kind }) => kind));
    expect(
      [...kinds].filter(
        (kind) => !/^(Deployment|Service|ServiceAccount|ConfigMap|PodDisruptionBudget)$/.test(kind),
      ),
    ).toEqual([]);
    expect(manifests.every(({ metadata }) => metadata.namespace === sample.namespace)).toBe(true);
    const pods = manifests.filter(({ kind }) => kind === "Deployment") as unknown as Rendered[];
    for (const { spec } of manifests.filter(
      ({ kind }) => kind === "Service",
    ) as unknown as Rendered[]) {
      const chosen = pods.filter((pod) =>
        Object.entries(spec.selector).every(
          ([label, value]) => pod.spec.template.metadata.labels[label] === value,
        ),
      );
      expect(chosen).toHaveLength(1);
    }
    for (const pod of pods) expectHardened(pod, sample.release === "fulcio");
  });

  test.each(cases)("$title: user ids are ours, or the cluster's", ({ sample, exposure }) => {
    const manifests = objects(helm, standIn, sample, postrender);
    const pods = manifests.filter(({ kind }) => kind === "Deployment") as unknown as Rendered[];
    const all = ["runAsUser", "runAsGroup", "fsGroup"];
    const given = exposure === "nodePort" || sample.release === "trillian" ? all : [];
    for (const { spec } of pods) {
      const { securityContext, containers, initContainers = [] } = spec.template.spec;
      const named = all.filter((id) => id in securityContext);
      expect(named).toEqual(given);
      for (const container of [...containers, ...initContainers])
        expect(container["securityContext"]).not.toHaveProperty("runAsUser");
    }
  });

  test.each(cases)("$title: servers roll without a dropped request", ({ sample }) => {
    const manifests = objects(helm, standIn, sample, postrender);
    const of = (wanted: string) => manifests.filter(({ kind }) => kind === wanted);
    const names = (list: Manifest[]) => list.map(({ metadata }) => metadata.name);
    const servers = of("Deployment").filter(({ metadata }) => !singles.includes(metadata.name));
    expect(names(servers)).toEqual([serverOf[sample.release]]);
    for (const server of servers as unknown as Rendered[]) expectRolling(server);
    const budgets = of("PodDisruptionBudget");
    expect(names(budgets)).toEqual(names(servers));
    const { selector } = servers[0]?.spec as Rendered["spec"];
    expect(budgets[0]?.spec).toMatchObject({ maxUnavailable: 1, selector });
  });

  test.each(cases)("$title: every pod has the values' pull secrets", ({ sample, exposure }) => {
    const names = exposure === "nodePort" ? pullSecrets : [];
    const manifests = objects(helm, standIn, sample, postrender);
    const pods = manifests.filter(({ kind }) => kind === "Deployment") as unknown as Rendered[];
    expect(pods.length).toBeGreaterThan(0);
    for (const { spec } of pods)
      expect(spec.template.spec.imagePullSecrets ?? []).toEqual(names.map((name) => ({ name })));
  });

  test("a server on a node port has that port alone", () => {
    const { spec } = rendered(named("nodePort", "rekor-1"), "Service", "rekor-1-server");
    expect(spec.type).toBe("NodePort");
    expect(spec.ports).toMatchObject([{ port: 80, targetPort: 3000, nodePort: 31091 }]);
  });

  test("Rekor keeps the tree id's every digit, and its own Secret, host and index", () => {
    const sample = named("nodePort", "rekor-1");
    expect(rendered(sample, "ConfigMap", "rekor-1-config").data.treeID).toBe("8713049210368475113");
    const pod = rendered(sample, "Deployment", "rekor-1-server").spec.template.spec;
    expect(pod.containers[0]).toMatchObject({
      args: expect.arrayContaining([
        "--trillian_log_server.address=trillian-logserver.sample-trillian.svc",
        "--trillian_log_server.port=8091",
        "--trillian_log_server.tlog_id=$(TREE_ID)",
        "--redis_server.address=rekor-1-redis",
        "--rekor_server.signer=/key/private",
        "--rekor_server.hostname=rekor.example.org",
      ]) as string[],
    });
    expect(JSON.stringify(pod)).toContain('"secretName":"rekor-1-signer-1a2b3c4d"');
  });

  test("MySQL is on our claim, probed by TCP, with its passwords from our Secret", () => {
    const pod = rendered(named("nodePort", "trillian"), "Deployment", "trillian-mysql");
    expect(pod.spec.template.spec).toMatchObject({
      containers: [
        {
          readinessProbe: { tcpSocket: { port: 3306 } },
          livenessProbe: { tcpSocket: { port: 3306 } },
        },
      ],
      volumes: [
        { persistentVolumeClaim: { claimName: "trillian-mysql" } },
        { name: "tmp", emptyDir: {} },
        { name: "run", emptyDir: {} },
      ],
    });
    expect(JSON.stringify(pod)).toContain(
      '"secretKeyRef":{"name":"database-login-1a2b3c4d","key":"mysql-password"}',
    );
  });

  test.each(["trillian-logserver", "trillian-logsigner"])(
    "%s reads the database's password from a file, and nothing else shows it",
    (name) => {
      const { spec } = rendered(named("nodePort", "trillian"), "Deployment", name).spec.template;
      const secretName = "database-flags-1a2b3c4d";
      expect(spec).toMatchObject({
        containers: [{ volumeMounts: [{ name: "flags", mountPath: "/etc/trillian" }] }],
        volumes: [{ name: "flags", secret: { secretName } }],
      });
      expect(spec.containers[0]?.["args"]).toContain("--config=/etc/trillian/flags");
      expect(JSON.stringify(spec)).not.toMatch(/mysql_uri|secretKeyRef|MYSQL_PASSWORD/);
    },
  );

  test("without MySQL, Trillian's servers wait for none and have its CA beside their flags", () => {
    const sample = named("external", "trillian");
    const found = objects(helm, standIn, sample, postrender);
    expect(found.filter(({ metadata }) => metadata.name === "trillian-mysql")).toEqual([]);
    for (const name of ["trillian-logserver", "trillian-logsigner"]) {
      const pod = rendered(sample, "Deployment", name).spec.template.spec;
      expect(pod.initContainers ?? []).toEqual([]);
      expect(pod.containers[0]?.["args"]).toContain("--config=/etc/trillian/flags");
      expect(JSON.stringify(pod)).not.toMatch(/mysql_uri|secretKeyRef|MYSQL_PASSWORD/);
      const secret = {
        secretName: "database-flags-1a2b3c4d",
        items: [
          { key: "flags", path: "flags" },
          { key: "ca.pem", path: "ca.pem" },
        ],
      };
      expect(pod).toMatchObject({ volumes: [{ secret }] });
    }
  });

  test("Rekor's attestations and search index are on the claims that are mounted there", () => {
    const sample = named("clusterIP", "rekor-2");
    const pod = (name: string) =>
      rendered(sample, "Deployment", name).spec.template.spec as unknown as Mounts;
    const server = pod("rekor-2-server");
    const bucket = new URL(flagOf(server, "--attestation_storage_bucket") ?? "");
    expect(claimOf(server, bucket.pathname)).toBe("attestation-claim");
    // Its temporary files too: /tmp is read-only, and a rename to another file system fails.
    expect(bucket.searchParams.get("no_tmp_dir")).toBe("true");
    const redis = pod("rekor-2-redis");
    const folder = redis.containers[0]?.args[redis.containers[0].args.indexOf("--dir") + 1];
    expect(claimOf(redis, folder ?? "")).toBe("redis-claim");
  });

  test("Rekor has its data elsewhere, or no search, and then no Redis runs", () => {
    const server = (exposure: string) => {
      const sample = named(exposure, "rekor-1");
      const names = objects(helm, standIn, sample, postrender).map(({ metadata }) => metadata.name);
      expect(names.filter((name) => name.includes("redis"))).toEqual([]);
      const { spec } = rendered(sample, "Deployment", "rekor-1-server");
      return spec.template.spec as unknown as Mounts;
    };
    const elsewhere = server("external");
    expect(flagOf(elsewhere, "--redis_server.address")).toBe("redis.example.org");
    expect(flagOf(elsewhere, "--redis_server.port")).toBe("6380");
    expect(flagOf(elsewhere, "--redis_server.enable-tls")).toBe("true");
    expect(flagOf(elsewhere, "--attestation_storage_bucket")).toMatch(/^s3:/);
    expect(JSON.stringify(elsewhere)).not.toContain("persistentVolumeClaim");
    const without = server("noSearch");
    expect(flagOf(without, "--redis_server.address")).toBeUndefined();
    expect(flagOf(without, "--enable_retrieve_api")).toBe("false");
    expect(flagOf(without, "--enabled_api_endpoints")).not.toContain("searchIndex");
  });

  test("the TSA has its chain, its Secret and the probes that upstream lacks", () => {
    const sample = named("nodePort", "tsa");
    const chain = rendered(sample, "ConfigMap", "tsa-server-config").data["chain.pem"];
    expect(chain).toBe(
      (sample.values.tsa as { server: { args: { cert_chain: string } } }).server.args.cert_chain,
    );
    expect(rendered(sample, "Deployment", "tsa-server").spec.template.spec).toMatchObject({
      containers: [{ readinessProbe: { httpGet: { path: "/ping", port: 5555 } } }],
    });
  });

  test("Fulcio's issuers arrive as they were given", () => {
    const sample = named("nodePort", "fulcio");
    const { contents } = (sample.values.fulcio as { config: { contents: unknown } }).config;
    const config = rendered(sample, "ConfigMap", "fulcio-server-config").data["config.json"];
    expect(JSON.parse(config ?? "")).toEqual(contents);
  });

  test("Fulcio has a company's CAs beside the image's own, and its proxy", () => {
    const { spec } = rendered(named("corporate", "fulcio"), "Deployment", "fulcio-server");
    const pod = spec.template.spec as unknown as Mounts & {
      containers: { env: { name: string }[] }[];
    };
    expect(pod.volumes).toContainEqual({
      name: "ca-bundle",
      configMap: { name: "fulcio-ca-bundle-1a2b3c4d" },
    });
    expect(pod.containers[0]?.volumeMounts).toContainEqual({
      name: "ca-bundle",
      mountPath: "/etc/anchorhold/ca",
      readOnly: true,
    });
    expect(pod.containers[0]?.env).toEqual([
      expect.objectContaining({ name: "PASSWORD" }),
      { name: "SSL_CERT_DIR", value: "/etc/ssl/certs:/etc/anchorhold/ca" },
      { name: "HTTPS_PROXY", value: "http://proxy.example.org:3128" },
      { name: "NO_PROXY", value: "localhost,.svc" },
    ]);
  });

  test("the TSA asks the time servers of its file, or none", () => {
    const variables = (exposure: string) => {
      const { spec } = rendered(named(exposure, "tsa"), "Deployment", "tsa-server");
      return JSON.stringify(spec.template.spec);
    };
    expect(variables("corporate")).toContain(
      '{"name":"NTP-MONITORING","value":"/etc/anchorhold/ntp/ntp.yaml"}',
    );
    expect(variables("corporate")).toContain(
      '{"name":"ntp","configMap":{"name":"tsa-ntp-1a2b3c4d"}}',
    );
    expect(variables("corporate")).not.toContain("DISABLE-NTP-MONITORING");
    expect(variables("clusterIP")).toContain('{"name":"DISABLE-NTP-MONITORING","value":"true"}');
  });

  test("an object of an unknown kind fails the run and names itself", () => {
    const sample = named("nodePort", "trillian");
    const chart = join("test", "engine", "fixtures", "chart-with-secret");
    const { status, stderr } = render(helm, chart, sample, postrender);
    expect(status).not.toBe(0);
    expect(stderr).toContain("v1 Secret");
  });
});

/** The Deployment of each Release that runs more than once. */
const serverOf: Readonly<Record<string, string>> = {
  trillian: "trillian-logserver",
  "rekor-1": "rekor-1-server",
  "rekor-2": "rekor-2-server",
  ctlog: "ctlog",
  tsa: "tsa-server",
  fulcio: "fulcio-server",
};
/** Those that run once, whatever happens. */
const singles = ["trillian-mysql", "trillian-logsigner", "rekor-1-redis", "rekor-2-redis"];

function expectRolling({ spec }: Rendered): void {
  expect(spec).toMatchObject({
    replicas: 2,
    minReadySeconds: 2,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      spec: {
        terminationGracePeriodSeconds: 36,
        topologySpreadConstraints: [
          { topologyKey: "kubernetes.io/hostname", labelSelector: spec.selector },
        ],
        containers: [{ lifecycle: { preStop: { sleep: { seconds: 6 } } } }],
      },
    },
  });
}

function expectHardened({ spec }: Rendered, mayReadTheApi: boolean): void {
  const pod = spec.template.spec;
  expect(pod.automountServiceAccountToken).toBe(mayReadTheApi);
  expect(pod.securityContext).toMatchObject({
    runAsNonRoot: true,
    seccompProfile: { type: "RuntimeDefault" },
  });
  for (const container of [...pod.containers, ...(pod.initContainers ?? [])])
    expect(container).toMatchObject({
      image: expect.stringMatching(
        /@sha256:[a-f0-9]{64}$|^localhost\/.+:[a-f0-9]{12,64}$/,
      ) as string,
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
      resources: {
        requests: { cpu: expect.any(String) as string, memory: expect.any(String) as string },
        limits: { memory: expect.any(String) as string },
      },
    });
  for (const container of pod.containers)
    for (const probe of ["readinessProbe", "livenessProbe"])
      expect(container).toHaveProperty(probe);
}
