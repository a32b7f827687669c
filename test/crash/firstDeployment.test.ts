import { crashTests } from "../engine/support/crashTests.ts";
import { firstDeployment } from "../engine/support/subjects.ts";

await crashTests(firstDeployment);
