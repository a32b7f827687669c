import { createPrivateKey, X509Certificate } from "node:crypto";
import { posix } from "node:path";
import { NotStarted, type ContainerView } from "./container.ts";
import { notFound, plain, type Response, type Service } from "./http.ts";

/** One directive of a configuration, with its block if it has one. */
interface Directive {
  words: string[];
  block: Directive[];
}

/** What of nginx is played; the rest must be of no consequence for what is served. */
const understood = new Set([
  ...["root", "alias", "listen", "location"],
  ...["ssl_certificate", "ssl_certificate_key", "proxy_pass", "grpc_pass"],
]);
const harmless = new Set([
  "add_header",
  "etag",
  "expires",
  "default_type",
  "server_name",
  "access_log",
  "keepalive_timeout",
  "proxy_http_version",
  "proxy_set_header",
  "proxy_request_buffering",
  "proxy_max_temp_file_size",
]);

/** The other programs of the pod, by port. */
type Beside = (port: number) => Service | undefined;

/**
 * nginx with one server: `root`, and `location` (exact, by prefix, by regular expression) with `root` or
 * `alias`, or `location` by prefix that passes on to another program of the pod.
 * @returns what is served, by port
 * @throws {NotStarted} for a configuration that says more than this stand-in knows, and for TLS without
 *   a certificate and its key
 */
export function nginx(view: ContainerView, beside: Beside): [number, Service][] {
  const config = parse(view.text(view.flag("-c") ?? "/etc/nginx/nginx.conf"));
  const http = find(config, "http").block;
  const server = find(http, "server").block;
  checkKnown(server);
  const listening = server.filter(({ words }) => words[0] === "listen");
  const ports = listening.map(({ words }) => Number(/\d+$/.exec(words[1] ?? "")?.[0]));
  if (listening.some(({ words }) => words.includes("ssl"))) checkCertificate(view, http, server);
  const service = passing(server, beside) ?? files(view, server);
  return ports.map((port) => [port, service]);
}

function checkKnown(server: readonly Directive[]): void {
  const locations = server.filter(({ words }) => words[0] === "location");
  for (const { words } of [...server, ...locations.flatMap(({ block }) => block)])
    if (!understood.has(words[0] ?? "") && !harmless.has(words[0] ?? ""))
      throw new NotStarted(`the stand-in for nginx does not know "${words.join(" ")}"`);
}

/** The value of a directive, with the default of a `map` in place of its variable. */
function expanded(http: readonly Directive[], server: readonly Directive[], name: string): string {
  const path = find(server, name).words[1] ?? "";
  const map = http.find(({ words }) => words[0] === "map");
  const [variable = "", replaced = ""] = [map?.words[2], value(map?.block ?? [], "default")];
  return variable === "" ? path : path.replace(variable, replaced);
}

function checkCertificate(
  view: ContainerView,
  http: readonly Directive[],
  server: readonly Directive[],
): void {
  const read = (name: string) => view.read(expanded(http, server, name));
  const certificate = new X509Certificate(read("ssl_certificate"));
  if (!certificate.checkPrivateKey(createPrivateKey(read("ssl_certificate_key"))))
    throw new NotStarted("the key is not the certificate's");
}

/** A proxy of HTTP; of gRPC, which this stand-in does not speak, it says no more than that it is there. */
function passing(server: readonly Directive[], beside: Beside): Service | undefined {
  const locations = server.filter(
    ({ words, block }) =>
      words.length === 2 && block.some(({ words: [name] }) => /_pass$/.test(name ?? "")),
  );
  if (locations.length === 0) return undefined;
  const behind = (path: string): Service | undefined => {
    const [{ block = [] } = {}] = locations
      .filter(({ words }) => path.startsWith(words[1] ?? ""))
      .sort((a, b) => (b.words[1] ?? "").length - (a.words[1] ?? "").length);
    const to = value(block, "proxy_pass");
    return to === undefined ? undefined : beside(Number(new URL(to).port));
  };
  const none = plain("no plain HTTP here", 502);
  return {
    get: (path, query) => behind(path)?.get(path, query) ?? none,
    post: (path, body) => behind(path)?.post(path, body) ?? none,
  };
}

function files(view: ContainerView, server: readonly Directive[]): Service {
  const locations = server.filter(({ words }) => words[0] === "location");
  const root = value(server, "root") ?? "";
  return {
    get: (path) => {
      const content = view.find(fileOf(path, locations, root));
      return content === undefined ? notFound : served(path, content);
    },
    post: () => notFound,
  };
}

function served(path: string, body: Buffer): Response {
  const contentType = path.endsWith(".json") ? "application/json" : "application/octet-stream";
  return { status: 200, contentType, body };
}

/** The file behind a path: nginx takes an exact location, else a regular expression, else the longest prefix. */
function fileOf(path: string, locations: readonly Directive[], root: string): string {
  const exact = locations.find(({ words }) => words[1] === "=" && words[2] === path);
  const regular = locations.find(
    ({ words }) => words[1] === "~" && new RegExp(words[2] ?? "").test(path),
  );
  const prefixes = locations
    .filter(({ words }) => words.length === 2 && path.startsWith(words[1] ?? ""))
    .sort((a, b) => (b.words[1] ?? "").length - (a.words[1] ?? "").length);
  const location = exact ?? regular ?? prefixes[0];
  const block = location?.block ?? [];
  const alias = value(block, "alias");
  if (alias === undefined) return posix.join(value(block, "root") ?? root, path);
  // The alias stands for what the location matched: all of it, or the prefix.
  return location === exact
    ? alias
    : posix.join(alias, path.slice((location?.words[1] ?? "").length));
}

function value(block: readonly Directive[], name: string): string | undefined {
  return block.find(({ words }) => words[0] === name)?.words[1];
}

function find(block: readonly Directive[], name: string): Directive {
  const found = block.find(({ words }) => words[0] === name);
  if (found === undefined) throw new NotStarted(`nginx.conf has no "${name}"`);
  return found;
}

function parse(text: string): Directive[] {
  const words = text.replaceAll(/#.*/g, "").match(/"[^"]*"|[;{}]|[^\s;{}"]+/g) ?? [];
  let at = 0;
  const block = (): Directive[] => {
    const directives: Directive[] = [];
    let current: string[] = [];
    for (let word = words[at++]; word !== undefined && word !== "}"; word = words[at++]) {
      if (word === ";" || word === "{") {
        directives.push({ words: current, block: word === "{" ? block() : [] });
        current = [];
      } else current.push(word.replace(/^"(.*)"$/, "$1"));
    }
    return directives;
  };
  return block();
}
