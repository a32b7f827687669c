/** An image as the chart's values name it: `registry/repository@version` or `…:version`. */
export interface ImageRef {
  registry: string;
  repository: string;
  /** `sha256:…`, `tag@sha256:…`, or for images of `localhost` a tag that is a content hash. */
  version: string;
}
