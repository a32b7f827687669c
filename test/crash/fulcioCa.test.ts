import { crashTests } from "../engine/support/crashTests.ts";
import { step, stepNames } from "../engine/support/subjects.ts";

for (const name of stepNames) await crashTests(step("fulcioCa", name));
