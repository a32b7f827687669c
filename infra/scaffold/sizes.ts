import * as z from "zod";

/** `cpu` and `memory`, as Kubernetes writes them. */
export type Amount = Readonly<Record<string, string>>;

/** A container's `resources`. */
export interface Resources {
  requests: Amount;
  limits: Amount;
}

const mebibytes = (cpu: string, request: number, limit: number): Resources => ({
  requests: { cpu, memory: `${request}Mi` },
  limits: { memory: `${limit}Mi` },
});

/**
 * Every container that `anchorhold:resources` can size. Under load the database was seen at 300 MiB
 * and all others below 100: the limits are there for what goes wrong, several times above. Redis
 * keeps the whole search index in memory, so its use grows with the log.
 *
 * No limit on cpu: the kernel stops a container that has used up its share for the rest of each tenth
 * of a second even on an idle node, which is what a signature would wait for. Requests alone divide
 * a busy node fairly. Where somebody's quota demands limits.cpu, the configuration gives them.
 */
const defaults = {
  fulcio: mebibytes("10m", 64, 512),
  ctLog: mebibytes("10m", 64, 512),
  rekor: mebibytes("20m", 64, 1024),
  tsa: mebibytes("10m", 32, 256),
  tuf: mebibytes("10m", 16, 64),
  trillianLogServer: mebibytes("20m", 64, 512),
  trillianLogSigner: mebibytes("20m", 64, 512),
  database: mebibytes("50m", 256, 2048),
  redis: mebibytes("10m", 32, 1024),
  /** TLS in front of a server, where a Route re-encrypts. */
  tlsProxy: mebibytes("10m", 16, 64),
} as const satisfies Record<string, Resources>;

/** A server of the stack, as `anchorhold:resources` names it. */
export type Sized = keyof typeof defaults;
export type Sizes = Readonly<Record<Sized, Resources>>;

/** What nobody needs to size: they wait, or sign once a day, and end; or they sign once a minute. */
export const fixedSizes = {
  curl: mebibytes("5m", 16, 64),
  netcat: mebibytes("5m", 8, 64),
  timestampSigner: mebibytes("20m", 64, 192),
  prober: mebibytes("10m", 96, 256),
} as const;

/** Cores, in the configuration. */
export const cpu = z.preprocess(
  (value) => (typeof value === "number" ? String(value) : value),
  z.string().regex(/^([1-9]\d*m?|\d+\.\d{1,3})$/, "must be cores such as 500m or 2"),
);
/** An amount of memory or storage. */
export const memory = z
  .string()
  .regex(/^[1-9]\d*(Ki|Mi|Gi|Ti)$/, "must be an amount of memory such as 512Mi or 2Gi");
const amount = z.strictObject({ cpu: cpu.optional(), memory: memory.optional() });
const resources = z.strictObject({ requests: amount.optional(), limits: amount.optional() });

const servers = Object.keys(defaults) as [Sized, ...Sized[]];

/** `anchorhold:resources`: what is left out keeps its default. */
export const sizesSchema = z
  .partialRecord(z.enum(servers), resources)
  .default({})
  .transform(sizesOf);

/** The sizes of every server. */
export function sizesOf(given: Partial<Record<Sized, z.infer<typeof resources>>> = {}): Sizes {
  const sized = servers.map((server) => [
    server,
    {
      requests: amountOf(defaults[server].requests, given[server]?.requests),
      limits: amountOf(defaults[server].limits, given[server]?.limits),
    },
  ]);
  return Object.fromEntries(sized) as Sizes;
}

function amountOf(usual: Amount, given: z.infer<typeof amount> = {}): Amount {
  const { cpu = usual["cpu"], memory = usual["memory"] } = given;
  return {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
  };
}

/** Where a request exceeds its limit, which no pod may: as `fulcio.requests.memory (1Gi) …`. */
export function sizeProblems(sizes: Sizes): string[] {
  return servers.flatMap((server) => {
    const { requests, limits } = sizes[server];
    return (["cpu", "memory"] as const).flatMap((what) => {
      const [request, limit] = [requests[what], limits[what]];
      if (request === undefined || limit === undefined) return [];
      if (quantity(request) <= quantity(limit)) return [];
      return [`${server}.requests.${what} (${request}) is above its limit (${limit})`];
    });
  });
}

const factors: Readonly<Record<string, number>> = {
  m: 1e-3,
  "": 1,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/**
 * A Kubernetes quantity of the forms that the configuration takes, as a number of cores or bytes.
 * @throws Error for any other text
 */
export function quantity(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(m|Ki|Mi|Gi|Ti|)$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined) throw new Error(`${text} is no quantity`);
  return Number(digits) * factors[unit]!;
}
