// What each need of `npm start` can be met with, the first choice first; see docs/local.md.
export const ladder = {
  pulumi: ["path", "download", "build"],
  plugins: ["official", "stand-in"],
  cluster: ["context", "kind", "node"],
  images: ["published", "built"],
  chart: ["path", "repository", "stand-in"],
} as const;

export type Need = keyof typeof ladder;
export type RungOf<N extends Need> = (typeof ladder)[N][number];

/** One rung for each need. */
export type Rungs = { [N in Need]: RungOf<N> };

/** What the caller insists on: `npm start -- --NEED RUNG`. */
export type Switches = { [N in Need]?: RungOf<N> };
