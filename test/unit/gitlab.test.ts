import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { imageProblem, parseImage } from "../../infra/scaffold/images.ts";
import {
  GitLabProject,
  gitlabHost,
  platformWith,
  type Event,
  type Job,
} from "../support/gitlabCi.ts";
import { Mirror } from "../support/mirror.ts";

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
const pipeline = read(".gitlab-ci.yml");
const template = read("templates/anchorhold/template.yml");

const scriptOf = ({ before_script = [], script, after_script = [] }: Job) =>
  [...before_script, ...script, ...after_script].join("\n");

/** Hands the project over and removes it afterwards. */
async function withProject<T>(
  files: Record<string, string>,
  use: (project: GitLabProject) => Promise<T>,
): Promise<T> {
  const project = await GitLabProject.create("platform/anchorhold", files);
  try {
    return await use(project);
  } finally {
    project.close();
  }
}

describe("this project's pipeline", () => {
  let project: GitLabProject;
  let jobs: Record<string, Job>;
  let variables: Record<string, string>;
  beforeAll(async () => {
    project = await GitLabProject.create("platform/anchorhold", { ".gitlab-ci.yml": pipeline });
    ({ jobs, variables } = await project.config());
  });
  afterAll(() => project.close());

  const names = async (event: Event) => (await project.jobs({ event })).map(({ name }) => name);
  /** The jobs that change a stack. */
  const deploying = () => Object.entries(jobs).filter(([, job]) => /pulumi up/.test(scriptOf(job)));
  const suites = ["lint", "types", "test:unit", "test:engine"];
  const checks = [...suites.map((suite) => `check: [${suite}]`), "policy"];

  test("is valid against GitLab's schema, and a mistake in it is not", async () => {
    expect(Object.keys(jobs)).toContain("production");
    const wrong = pipeline.replace("interruptible: false", "interruptible: perhaps");
    expect(wrong).not.toBe(pipeline);
    await withProject({ ".gitlab-ci.yml": wrong }, async (spoiled) => {
      const { code, stdout, stderr } = await spoiled.ask(["--list"]);
      expect(code).not.toBe(0);
      expect(stdout + stderr).toMatch(/Invalid .gitlab-ci.yml configuration![^]*interruptible/);
    });
  });

  test("runs what `npm test` runs, part by part", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const parts = scripts["test"]!.split(" && ").map((part) => part.split(" ").at(-1));
    expect(parts).toEqual(suites);
    expect(scripts["test:policies"]).toContain("test/engine/stacks.test.ts");
  });

  test.each<[Event, string[]]>([
    ["merge request", [...checks, "preview:review"]],
    ["default branch", [...checks, "review"]],
    ["unprotected tag", checks],
    [
      "protected tag",
      [...checks, "preview:acceptance", "acceptance", "preview:production", "production"],
    ],
    ["schedule", ["drift:acceptance", "drift:production", "backup:production"]],
  ])("%s: %j", async (event, expected) => {
    expect((await names(event)).sort()).toEqual([...expected].sort());
  });

  test("acceptance and production are changed by hand alone, on protected tags, and waited for", async () => {
    expect(deploying().map(([name]) => name)).toEqual(["review", "acceptance", "production"]);
    for (const name of ["acceptance", "production"])
      expect(jobs[name]!.rules).toEqual([
        {
          if: '$CI_COMMIT_TAG && $CI_COMMIT_REF_PROTECTED == "true"',
          when: "manual",
          allow_failure: false,
        },
      ]);
    const tagged = await project.jobs({ event: "protected tag" });
    const byHand = tagged.filter(({ when }) => when === "manual").map(({ name }) => name);
    expect(byHand.sort()).toEqual(["acceptance", "production"]);
    const needs = Object.fromEntries(tagged.map((job) => [job.name, job.needs]));
    expect(needs["production"]).toMatchObject([{ job: "preview:production" }]);
    expect(needs["preview:production"]).toMatchObject([{ job: "acceptance" }]);
    expect(needs["acceptance"]).toMatchObject([{ job: "preview:acceptance" }]);
  });

  test("two updates of a stack never meet, and none is cut off", () => {
    for (const [name, job] of deploying()) {
      expect(job.resource_group).toBe(job.variables!["STACK"]);
      expect(job.interruptible, name).toBe(false);
    }
  });

  test("each update is verified, and production is backed up before", () => {
    for (const [name, { script }] of deploying()) {
      const lines = script.flat();
      const at = (what: string) => lines.findIndex((line) => line.startsWith(what));
      expect(at("pulumi up "), name).toBeGreaterThanOrEqual(0);
      expect(at("anchorhold verify "), name).toBeGreaterThan(at("pulumi up "));
      expect(lines[at("pulumi up ")]).toContain("--policy-pack policies");
    }
    const { script } = jobs["production"]!;
    expect(script.flat()[0]).toMatch(/^anchorhold backup /);
  });

  test("what reaches a stack runs in its environment, and takes no cache from elsewhere", () => {
    for (const [name, { environment, variables: own = {}, cache }] of Object.entries(jobs)) {
      if (name === "check" || name === "policy") {
        expect(environment, name).toBeUndefined();
        expect(Object.keys(own).join()).not.toMatch(/STACK/);
        continue;
      }
      expect(environment!.name).toBe(own["STACK"]);
      expect(cache ?? [], name).toEqual([]);
    }
  });

  test("drift: a refresh expects no changes, then verify and doctor", () => {
    for (const name of ["drift:acceptance", "drift:production"]) {
      const text = scriptOf(jobs[name]!).replace(/\\\n\s*/g, "");
      expect(text).toMatch(/pulumi preview --refresh --expect-no-changes .*\|\| bad=1/);
      expect(text).toMatch(/anchorhold verify .*\|\| bad=1\n.*anchorhold doctor .*\|\| bad=1/);
    }
  });

  test("every job has an image by digest", () => {
    for (const [name, { image }] of Object.entries(jobs)) {
      const reference = image.name.replace(/^\$(\w+)$/, (_, key: string) => variables[key] ?? "");
      expect(imageProblem(parseImage(reference)), name).toBeUndefined();
    }
  });

  test("the documents have every job, and every variable that a job has from GitLab", () => {
    const page = read("docs/gitlab.md");
    for (const name of Object.keys(jobs)) expect(page).toContain(`\`${name}\``);
    for (const name of ["ANCHORHOLD_CI_IMAGE", "CLOUD_ID_TOKEN_AUDIENCE", "KUBECONFIG"])
      expect(documented).toHaveProperty(name);
    expect(documented).toHaveProperty("ANCHORHOLD_COMMENT_TOKEN");
  });

  test("no secret is shown", () => {
    expect(pipeline).not.toContain("CI_DEBUG");
    for (const [name, job] of Object.entries(jobs)) expect(shown(scriptOf(job)), name).toEqual([]);
  });
});

/** Lines that print variables, but for one that goes into a file or a pipe. */
function shown(script: string): string[] {
  const secret = /\$\{?\w*(TOKEN|PASSWORD|PASSPHRASE|SECRET|KEY)(?!\w*_FILE)/;
  const lines = script.replace(/(\\|\|)\n\s*/g, "$1 ").split("\n");
  return lines.filter(
    (line) =>
      /\b(set -\w*x|printenv|export -p|declare -p|--show-secrets|CI_DEBUG)\b|^\s*env\b/.test(
        line,
      ) ||
      (secret.test(line) && !/printf %s "\$\w+" (> "\$\w+_FILE"|\| .*--password-stdin)/.test(line)),
  );
}

test("a line that shows a secret is found", () => {
  const bad = ['cat "$X_FILE" "$MY_TOKEN"', "env | sort", "set -eux", "cosign sign -t $X_TOKEN"];
  for (const line of bad) expect(shown(line)).toEqual([line]);
  expect(shown('printf %s "$CI_REGISTRY_PASSWORD" |\n  cosign login --password-stdin')).toEqual([]);
});

/** The rows of the tables in docs/gitlab.md, by what their first cell names. */
const documented = Object.fromEntries(
  read("docs/gitlab.md")
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .flatMap(([, first = "", ...rest]) =>
      (first.match(/`[\w-]+`/g) ?? []).map((name) => [name.slice(1, -1), rest.join("|")] as const),
    ),
);

describe("the template for other projects", () => {
  const include = (inputs: object) =>
    JSON.stringify({ include: [{ local: "/template.yml", inputs }] });
  const consumer = <T>(inputs: object, use: (project: GitLabProject) => Promise<T>) =>
    withProject({ ".gitlab-ci.yml": include(inputs), "template.yml": template }, use);

  test("is a component: its inputs are described, and none must be given", () => {
    const [header] = parseAllDocuments(template).map((part) => part.toJS() as object);
    const { inputs } = (header as { spec: { inputs: Record<string, Record<string, unknown>> } })
      .spec;
    expect(Object.keys(inputs).slice(0, 3)).toEqual(["images", "blobs", "sbom"]);
    for (const [name, input] of Object.entries(inputs)) {
      expect(input["description"], name).toMatch(/^[A-Z].*\.$/);
      expect(input["default"], name).toBeDefined();
      const shownDefault = input["default"] === "" ? /^(none|this pipeline)\|/ : undefined;
      expect(documented[name], name).toMatch(shownDefault ?? `\`${String(input["default"])}\``);
    }
  });

  test("has valid jobs; the one that signs has the only token, on tags and the default branch", async () => {
    await consumer({ blobs: "dist/*", stage: "test" }, async (project) => {
      const { jobs } = await project.config();
      expect(jobs["anchorhold-sign"]!.id_tokens).toEqual({
        SIGSTORE_ID_TOKEN: { aud: "sigstore" },
      });
      expect(jobs["anchorhold-verify"]!.id_tokens).toBeUndefined();
      const names = async (event: Event) => (await project.jobs({ event })).map(({ name }) => name);
      for (const event of ["default branch", "protected tag"] as const)
        expect(await names(event)).toEqual(["anchorhold-sign"]);
      for (const event of ["merge request", "another branch"] as const)
        expect(await names(event)).toEqual([]);
    });
  });

  test("only verifies where it is told so, under a name of one's own", async () => {
    await consumer({ images: "$IMAGE", sign: false, name: "base" }, async (project) => {
      for (const event of ["merge request", "default branch"] as const)
        expect((await project.jobs({ event })).map(({ name }) => name)).toEqual(["base-verify"]);
    });
  });

  test("an input of the wrong kind is refused", async () => {
    await consumer({ images: "$IMAGE", "sbom-type": "pdf" }, async (project) => {
      const { code, stdout, stderr } = await project.ask(["--list"]);
      expect(code).not.toBe(0);
      expect(stdout + stderr).toMatch(/`sbom-type` input: `pdf` cannot be used/);
    });
  });

  test.each(["component", "project", "remote"])("include:%s brings it", async (form) => {
    const platform = await platformWith(template);
    const served = await new Mirror().open();
    served.files["template.yml"] = template;
    const file = "templates/anchorhold/template.yml";
    const includes: Record<string, object> = {
      component: { component: `${gitlabHost}/platform/anchorhold/anchorhold@1.0.0` },
      project: { project: "platform/anchorhold", ref: "1.0.0", file },
      remote: { remote: `${served.url}/template.yml` },
    };
    const inputs = { blobs: "dist/*", stage: "test" };
    const project = await GitLabProject.create("team/app", {
      ".gitlab-ci.yml": JSON.stringify({ include: [{ ...includes[form], inputs }] }),
    });
    const jobs = await project.jobs({ env: { ...process.env, ...platform.env } });
    expect(jobs).toMatchObject([{ name: "anchorhold-sign", stage: "test" }]);
    project.close();
    platform.close();
    await served.close();
  });

  test("shows no secret, and gives cosign the mirror and the first root alone", async () => {
    await consumer({ blobs: "dist/*" }, async (project) => {
      const { jobs } = await project.config();
      for (const [name, job] of Object.entries(jobs)) {
        expect(shown(scriptOf(job)), name).toEqual([]);
        expect(scriptOf(job)).not.toMatch(/--(fulcio|rekor|oidc|timestamp-server)-url|--insecure/);
        expect(scriptOf(job).match(/cosign initialize/g)).toHaveLength(1);
      }
    });
  });
});
