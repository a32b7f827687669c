/** The mirror's Service and its port; the chart has no part in them. */
export const mirrorService = { name: "tuf", port: "http" } as const;
