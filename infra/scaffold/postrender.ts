#!/usr/bin/env node
// Helm's post-renderer: manifests in YAML on stdin, manifests in YAML on stdout.
import { text } from "node:stream/consumers";
import { postrender } from "./postrender/rules.ts";
import { readManifests, writeManifests } from "./postrender/yaml.ts";

try {
  process.stdout.write(writeManifests(postrender(readManifests(await text(process.stdin)))));
} catch (error) {
  console.error(
    `Anchorhold's post-renderer: ${error instanceof Error ? error.message : String(error)}`,
  );
  process.exitCode = 1;
}
