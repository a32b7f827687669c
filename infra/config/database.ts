import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import * as z from "zod";
import { trillianDatabase, trillianPorts } from "../scaffold/names.ts";
import { hostAndPort, port } from "./endpoint.ts";
import { hostName } from "./fields.ts";
import { byKey } from "./forms.ts";
import { volumeSchema } from "./volume.ts";

/** Goes into SQL that a message prints and into Trillian's connection string: nothing to quote. */
const databaseName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, "must be a database's name of letters, digits, _ and -");
const userName = z
  .string()
  .regex(/^[A-Za-z0-9_.@-]{1,80}$/, "must be a user's name of letters, digits and _.@-");

const pem = /^(-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\s*)+$/;

function isCertificates(text: string): boolean {
  if (!pem.test(text)) return false;
  try {
    return text.split(/(?<=-----END CERTIFICATE-----)\s*/).every((one) => {
      return one.trim() === "" || new X509Certificate(one).ca;
    });
  } catch {
    return false;
  }
}

/** Whom the database's certificate must come from. */
const tls = z
  .strictObject({
    ca: z
      .string()
      .refine(
        (ca) => ca === "system" || isCertificates(ca),
        "must be system (the authorities that the images trust) or CA certificates in PEM",
      ),
    /** The name in the certificate, where it is not the host's. */
    serverName: hostName.optional(),
  })
  .refine(({ ca, serverName }) => serverName === undefined || ca !== "system", {
    path: ["serverName"],
    error: "goes with CA certificates in ca: Trillian checks the host's own name with ca: system",
  });

const external = z
  .strictObject({
    /** As Trillian's servers reach it from inside the cluster. */
    host: hostName,
    port: port.default(trillianPorts.database),
    name: databaseName.default(trillianDatabase.name),
    user: userName,
    tls: tls.optional(),
    /** How this program reaches it for its checks: as Trillian does, by a tunnel, or not at all. */
    access: z
      .union([z.enum(["direct", "none"]), z.strictObject({ address: hostAndPort })], {
        error: "must be direct, none, or an address: { address: HOST:PORT }",
      })
      .default("direct"),
  })
  .refine(({ host, tls }) => tls === undefined || tls.serverName !== undefined || !isIP(host), {
    path: ["tls", "serverName"],
    error: "is needed where the host is an IP address: give the name in the certificate",
  });

/** An external database: MySQL 8 or MariaDB, with Trillian's schema in it. */
export type ExternalDatabase = z.infer<typeof external>;

/** `anchorhold:database`: the chart's MySQL on a volume of ours, or one that somebody else runs. */
export const databaseSchema = byKey("external", z.strictObject({ external }), volumeSchema);
export type Database = z.infer<typeof databaseSchema>;

/** The external database of a stack that has one. */
export function externalOf(database: Database): ExternalDatabase | undefined {
  return "external" in database ? database.external : undefined;
}
