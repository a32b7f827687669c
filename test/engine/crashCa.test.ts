import { crashTests } from "./support/crashTests.ts";
import { step } from "./support/subjects.ts";

// The two steps that change who may issue, killed after each operation; all others: test/crash.
await crashTests(step("fulcioCa", "announce"), { workers: 1 });
await crashTests(step("fulcioCa", "activate"), { workers: 1 });
