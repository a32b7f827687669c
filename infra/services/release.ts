import type { Config } from "../config.ts";
import type { Images } from "../scaffold/images.ts";

/** What every service's Release is made of, whatever the service. */
export interface ReleaseContext {
  chart: Config["chart"];
  prefix: string;
  labels: Record<string, string>;
  images: Images;
  /** Names of the Secrets that images are pulled with, the same in every namespace. */
  pullSecrets: readonly string[];
}
