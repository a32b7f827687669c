import { defineConfig } from "vitest/config";

const restore = ["test/cluster/restore.test.ts"];
const rotation = ["test/cluster/rotation.test.ts", "test/cluster/killed.test.ts"];

/** Three levels, cheapest first, and three that take their time: see CONTRIBUTING.md. */
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
          exclude: [...rotation, ...restore],
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
