import { describe, expect, test } from "vitest";
import { flagSecretAnnotation, withFlagFile } from "../../infra/scaffold/postrender/flagFile.ts";
import type { Manifest } from "../../infra/scaffold/postrender/manifest.ts";
import { postrender } from "../../infra/scaffold/postrender/rules.ts";
import { containerOf, deployment, podOf, specOf } from "../support/manifests.ts";

const secretKeyRef = { name: "login", key: "mysql-password" };
const uri = "--mysql_uri=trillian:$(MYSQL_PASSWORD)@tcp($(MYSQL_HOSTNAME):3306)/trillian";
const container = {
  args: ["--storage_system=mysql", uri, "--alsologtostderr"],
  env: [
    { name: "MYSQL_PASSWORD", valueFrom: { secretKeyRef } },
    { name: "MYSQL_HOSTNAME", value: "trillian-mysql" },
  ],
};

/** A server of Trillian's as the chart renders it, with the annotation from our values. */
function server(part: string, change: Record<string, unknown> = {}): Manifest {
  const manifest = deployment(part, { container: { ...container, ...change } });
  const { template } = specOf(manifest);
  template.metadata = { ...template.metadata, annotations: { [flagSecretAnnotation]: "flags-1" } };
  return manifest;
}

describe("the database's password", () => {
  test.each(["trillian/trillian-logserver", "trillian/trillian-logsigner"])(
    "is in a file of %s, not on its command line or in its environment",
    (part) => {
      const changed = withFlagFile(server(part));
      expect(containerOf(changed)).toMatchObject({
        args: ["--storage_system=mysql", "--alsologtostderr", "--config=/etc/trillian/flags"],
        env: [{ name: "MYSQL_HOSTNAME", value: "trillian-mysql" }],
        volumeMounts: [{ name: "flags", mountPath: "/etc/trillian", readOnly: true }],
      });
      expect(containerOf(changed).env).toHaveLength(1);
      const secret = { secretName: "flags-1", items: [{ key: "flags", path: "flags" }] };
      expect(podOf(changed).volumes).toMatchObject([{ name: "flags", secret }]);
    },
  );

  test("keeps other volumes and mounts, and a second run changes nothing", () => {
    const mounted = server("trillian/trillian-logserver", { volumeMounts: [{ name: "own" }] });
    podOf(mounted).volumes = [{ name: "own" }];
    const once = postrender([mounted]);
    expect(containerOf(once[0]).volumeMounts).toHaveLength(2);
    expect(podOf(once[0]).volumes).toHaveLength(2);
    expect(postrender(once)).toEqual(once);
  });

  test("of the database itself stays in its environment, which makes the accounts", () => {
    const database = deployment("trillian/mysql", { container: { env: container.env } });
    expect(withFlagFile(database)).toEqual(database);
  });
});

describe("a Secret's content on a command line", () => {
  const where = "apps/v1 Deployment a/ctlog: the command line of ctlog would show";
  test.each([
    ["an argument", { ...container, args: ["--password", "$(MYSQL_PASSWORD)"] }],
    ["the command", { ...container, args: [], command: ["sh", "-c", "x $(MYSQL_PASSWORD)"] }],
    ["the database's flag without a file for it", container],
  ])("is refused in %s, and the error names the place", (_what, bad) => {
    expect(() => withFlagFile(deployment("ctlog", { container: bad }))).toThrow(where);
  });

  test.each(["fulcio", "tsa"])("is none where %s names the password that its key lacks", (part) => {
    const env = [{ name: "PASSWORD", valueFrom: { secretKeyRef } }];
    const unlocked = deployment(part, { container: { args: ["--passwd", "$(PASSWORD)"], env } });
    expect(withFlagFile(unlocked)).toEqual(unlocked);
    const other = deployment("ctlog", { container: { args: ["$(PASSWORD)"], env } });
    expect(() => withFlagFile(other)).toThrow(where);
  });
});
