import { caFile, flagFolder } from "../scaffold/postrender/flagFile.ts";

/** Where a database is and who Trillian is there. */
export interface DatabaseLogin {
  host: string;
  port: number;
  name: string;
  user: string;
  tls?: { ca: string; serverName?: string | undefined } | undefined;
}

/**
 * Connections that a server of Trillian's keeps open between two uses. Go's own number is 2: with three
 * trees the log signer then opened thirty a second, each with a lookup in DNS, and one lost packet
 * stopped all signing for the resolver's five seconds. The signer works on ten trees at a time.
 */
const idleConnections = 10;

/**
 * What Trillian's servers read as a file: the address of the database, with its password.
 *
 * With `--mysql_tls_ca` Trillian puts `?tls=custom` at the end of the URI (storage/mysql/provider.go
 * of v1.7.3), so there can be no parameters in it: the driver would take the whole for one value.
 * What the chart's parameters do is not needed: times are numbers in Trillian's tables, and
 * statements are prepared by the server instead of the driver.
 */
export function databaseFlags(login: DatabaseLogin, password: string): string {
  const { host, port, name, user, tls } = login;
  const uri = `--mysql_uri=${user}:${password}@tcp(${host}:${port})/${name}`;
  const parameters = "?parseTime=true&interpolateParams=true";
  const pool = `--mysql_max_idle_conns=${idleConnections}`;
  if (tls === undefined) return lines([uri + parameters, pool]);
  if (tls.ca === "system") return lines([`${uri}${parameters}&tls=true`, pool]);
  const serverName = tls.serverName === undefined ? [] : [`--mysql_server_name=${tls.serverName}`];
  return lines([uri, `--mysql_tls_ca=${flagFolder}/${caFile}`, ...serverName, pool]);
}

const lines = (flags: readonly string[]): string => flags.map((flag) => `${flag}\n`).join("");
