import { posix } from "node:path";
import { NotStarted, type ContainerView } from "./container.ts";
import { notFound, type Response, type Service } from "./http.ts";

/** One directive of a configuration, with its block if it has one. */
interface Directive {
  words: string[];
  block: Directive[];
}

/** What of nginx is played; the rest must be of no consequence for what is served. */
const understood = new Set(["root", "alias", "listen", "location"]);
const harmless = new Set([
  "add_header",
  "etag",
  "expires",
  "default_type",
  "server_name",
  "access_log",
  "keepalive_timeout",
]);

/**
 * nginx with one server of static files: `root`, and `location` (exact, by prefix, by regular
 * expression) with `root` or `alias`.
 * @returns the port and what is served there
 * @throws {NotStarted} for a configuration that says more than this stand-in knows
 */
export function nginx(view: ContainerView): { port: number; service: Service } {
  const config = parse(view.text(view.flag("-c") ?? "/etc/nginx/nginx.conf"));
  const server = find(find(config, "http").block, "server").block;
  const port = Number(/\d+$/.exec(find(server, "listen").words[1] ?? "")?.[0]);
  const locations = server.filter(({ words }) => words[0] === "location");
  for (const { words } of [...server, ...locations.flatMap(({ block }) => block)])
    if (!understood.has(words[0] ?? "") && !harmless.has(words[0] ?? ""))
      throw new NotStarted(`the stand-in for nginx does not know "${words.join(" ")}"`);
  const root = value(server, "root") ?? "";
  return {
    port,
    service: {
      get: (path) => {
        const content = view.find(fileOf(path, locations, root));
        return content === undefined ? notFound : served(path, content);
      },
      post: () => notFound,
    },
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
