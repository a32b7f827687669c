/** A message in protobuf text form: the values of each field, in order. */
export type Message = ReadonlyMap<string, readonly Field[]>;
export type Field = Buffer | string | Message;

const token = /\s*("(?:[^"\\]|\\.)*"|\[[^\]]*\]|[-+.\w]+|[{}:])/y;

/**
 * Reads the text form of a protobuf message (protobuf.dev, text format specification) as far as
 * ct_server's configuration has it: scalars, strings with octal escapes (as bytes), messages.
 * @throws Error when the text is of no such form
 */
export function parseProtoText(text: string): Message {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (/\S/.test(text.slice(token.lastIndex))) {
    const found = token.exec(text)?.[1];
    if (found === undefined) throw new Error("not protobuf text");
    tokens.push(found);
  }
  const message = fields(tokens);
  if (tokens.length > 0) throw new Error("not protobuf text: a brace too many");
  return message;
}

/** Takes fields off the tokens, up to the brace that ends the message. */
function fields(tokens: string[]): Message {
  const message = new Map<string, Field[]>();
  while (tokens.length > 0 && tokens[0] !== "}") {
    const name = tokens.shift()!;
    if (tokens[0] === ":") tokens.shift();
    message.set(name, [...(message.get(name) ?? []), value(tokens)]);
  }
  return message;
}

function value(tokens: string[]): Field {
  const first = tokens.shift();
  if (first === undefined || first === "}")
    throw new Error("not protobuf text: a value is missing");
  if (first !== "{") return first.startsWith('"') ? bytes(first) : first;
  const inner = fields(tokens);
  if (tokens.shift() !== "}") throw new Error("not protobuf text: a brace is missing");
  return inner;
}

function bytes(literal: string): Buffer {
  const parts = literal.slice(1, -1).matchAll(/\\([0-7]{1,3})|\\(.)|([^\\]+)/gs);
  return Buffer.concat(
    [...parts].map(([, octal, escaped, plain]) =>
      octal === undefined
        ? Buffer.from(escaped ?? plain ?? "")
        : Buffer.of(parseInt(octal, 8) & 255),
    ),
  );
}

/** The messages of a field. */
export function messages(message: Message | undefined, field: string): Message[] {
  return (message?.get(field) ?? []).filter((item) => item instanceof Map);
}

/** The only scalar of a field as text; undefined without one. */
export function scalar(message: Message | undefined, field: string): string | undefined {
  const [found] = message?.get(field) ?? [];
  if (Buffer.isBuffer(found)) return found.toString();
  return typeof found === "string" ? found : undefined;
}

/** The strings of a field. */
export function texts(message: Message, field: string): string[] {
  const found = (message.get(field) ?? []).filter((item) => Buffer.isBuffer(item));
  return found.map((item) => item.toString());
}

/** The only string of a field as bytes; undefined without one. */
export function octets(message: Message | undefined, field: string): Buffer | undefined {
  const [found] = message?.get(field) ?? [];
  return Buffer.isBuffer(found) ? found : undefined;
}
