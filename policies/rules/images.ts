import * as pulumi from "@pulumi/pulumi";
import { imageProblem, parseImage } from "../../infra/scaffold/images.ts";
import { title } from "../../infra/scaffold/postrender/manifest.ts";
import { text } from "../plain.ts";
import { containers, objectRule, podSpec } from "../objects.ts";

interface Config {
  registries: string[];
  builtHere: string[];
}

/** Where images may come from: any registry where neither the rule nor the stack names one. */
function allowedRegistries({ registries }: Config): string[] {
  if (registries.length > 0) return registries;
  const mirror = new pulumi.Config("anchorhold").get("mirror");
  return mirror === undefined ? [] : [mirror];
}

/** `mirror.example.com` allows all below it, `mirror.example.com/sigstore` that folder. */
function isFrom(image: string, registry: string): boolean {
  return image.startsWith(`${registry.replace(/\/$/, "")}/`);
}

function problem(image: string, config: Config, stack: string): string | undefined {
  const { registry } = parseImage(image);
  const isLocal = /^localhost(:\d+)?$/.test(registry);
  if (isLocal && !config.builtHere.includes(stack)) return "is built on this machine";
  const registries = allowedRegistries(config);
  const allowed = registries.length === 0 || registries.some((one) => isFrom(image, one));
  if (!isLocal && !allowed) return "is not from the mirror";
  return imageProblem(parseImage(image));
}

export const imagesPinned = objectRule<Config>({
  name: "images-pinned",
  description:
    "Name every image by digest and from the mirror (anchorhold:images); images built on the machine itself are for the local stack.",
  config: {
    // Empty: anchorhold:mirror, or any registry if the stack has none.
    registries: { type: "array", items: { type: "string" }, default: [] },
    // Stacks that may use images of localhost, whose tag is a hash of their content.
    builtHere: { type: "array", items: { type: "string" }, default: ["local"] },
  },
  check: (objects, config, stack) =>
    objects.flatMap((object) =>
      containers(podSpec(object) ?? {}).flatMap(({ name, image }) => {
        const found = problem(text(image), config, stack);
        if (found === undefined) return [];
        return [`${title(object)}: the image of container ${text(name)} ${found}`];
      }),
    ),
});
