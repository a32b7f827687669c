/** A message in protobuf text form: the values of each field in order. */
export type Message = ReadonlyMap<string, readonly Field[]>;
export type Field = Buffer | string | Message;

const token = /\s*(?:#.*\n\s*)*("(?:[^"\\]|\\.)*"|\[[^\]]*\]|[-+.\w]+|[{}:])/y;

/**
 * Reads the text form of a protobuf message (protobuf.dev, text format specification), as far as
 * ct_server's configuration uses it: scalars, strings with octal escapes (as bytes), messages, and
 * `[type.url/Name] { … }` for an Any.
 * @throws {Error} where the text is of no such form
 */
export function parseProtoText(text: string): Message {
  const tokens = tokenize(text);
  const message = parseFields(tokens, 0);
  if (message.next < tokens.length) throw new Error(`unexpected ${tokens[message.next]}`);
  return message.fields;
}

/** The only string of a field, or undefined. */
export function bytesOf(message: Message, field: string): Buffer | undefined {
  const [value] = message.get(field) ?? [];
  return Buffer.isBuffer(value) ? value : undefined;
}

/** The number or word of a field as it is written, or an empty text. */
export function scalarOf(message: Message, field: string): string {
  const [value] = message.get(field) ?? [];
  return typeof value === "string" ? value : "";
}

/** The first message of a field, or an empty one. */
export function messageOf(message: Message, field: string): Message {
  return messagesOf(message, field)[0] ?? new Map<string, Field[]>();
}

export function messagesOf(message: Message, field: string): Message[] {
  return (message.get(field) ?? []).filter((value) => value instanceof Map);
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (/\S/.test(text.slice(token.lastIndex))) {
    const from = token.lastIndex;
    const found = token.exec(text);
    if (found?.[1] === undefined)
      throw new Error(`unexpected text: ${text.slice(from, from + 20)}`);
    tokens.push(found[1]);
  }
  return tokens;
}

function parseFields(tokens: readonly string[], from: number): { fields: Message; next: number } {
  const fields = new Map<string, Field[]>();
  let next = from;
  while (next < tokens.length && tokens[next] !== "}") {
    const name = tokens[next++] ?? "";
    const colon = tokens[next] === ":";
    if (colon) next++;
    const values = fields.get(name) ?? [];
    fields.set(name, values);
    if (tokens[next] === "{") {
      const inner = parseFields(tokens, next + 1);
      if (tokens[inner.next] !== "}") throw new Error(`the message ${name} does not end`);
      values.push(inner.fields);
      next = inner.next + 1;
    } else {
      const value = tokens[next++];
      if (!colon || value === undefined) throw new Error(`the field ${name} has no value`);
      values.push(value.startsWith('"') ? unquote(value) : value);
    }
  }
  return { fields, next };
}

function unquote(literal: string): Buffer {
  const parts = literal.slice(1, -1).matchAll(/\\([0-7]{1,3})|\\(.)|([^\\]+)/gs);
  return Buffer.concat(
    [...parts].map(([, octal, escaped, plain]) => {
      if (octal !== undefined) return Buffer.of(Number.parseInt(octal, 8));
      if (escaped === undefined) return Buffer.from(plain ?? "");
      return Buffer.from({ n: "\n", r: "\r", t: "\t" }[escaped] ?? escaped);
    }),
  );
}
