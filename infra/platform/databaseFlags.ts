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
  if (tls === undefined) return `${uri}${parameters}\n`;
  if (tls.ca === "system") return `${uri}${parameters}&tls=true\n`;
  const serverName = tls.serverName === undefined ? [] : [`--mysql_server_name=${tls.serverName}`];
  const flags = [uri, `--mysql_tls_ca=${flagFolder}/${caFile}`, ...serverName];
  return flags.map((flag) => `${flag}\n`).join("");
}
