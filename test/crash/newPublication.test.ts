import { crashTests } from "../engine/support/crashTests.ts";
import { newPublication } from "../engine/support/subjects.ts";

await crashTests(newPublication);
