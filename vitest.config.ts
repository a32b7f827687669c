import { defineConfig } from "vitest/config";

const restore = ["test/cluster/restore.test.ts"];
const repair = ["test/cluster/doctor.test.ts", "test/cluster/deleted.test.ts"];
const alerts = ["test/cluster/alerts.test.ts"];
const throughput = ["test/cluster/throughput.test.ts"];
const rotation = ["rotation", "killed", "distrusted"].map((name) => `test/cluster/${name}.test.ts`);

/** Three levels, cheapest first, and six that take their time: see CONTRIBUTING.md. */
export default defineConfig({
  test: {
    projects: [
      {
        test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 30_000 },
      },
      {
        test: {
          name: "engine",
          include: ["test/engine/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: "crash",
          include: ["test/crash/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          // Each file keeps both cores busy by itself.
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          exclude: [...rotation, ...repair, ...restore, ...throughput, ...alerts],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        // A quarter of an hour: the whole life of a generation takes its lead times.
        test: {
          name: "rotation",
          include: rotation,
          testTimeout: 1_200_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        // What somebody with kubectl can do to a stack, and each time the one command that mends it.
        test: {
          name: "repair",
          include: repair,
          testTimeout: 1_200_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "throughput",
          include: throughput,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        // Half an hour in which no alert may fire.
        test: {
          name: "alerts",
          include: alerts,
          testTimeout: 3_600_000,
          hookTimeout: 1_500_000,
        },
      },
      {
        // Takes the local stack away and brings it back.
        test: {
          name: "restore",
          include: restore,
          testTimeout: 1_800_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
