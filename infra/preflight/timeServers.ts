import * as pulumi from "@pulumi/pulumi";
import { ntpServer, type Ntp } from "../config/ntp.ts";
import { UserError } from "../errors.ts";
import { askNtp, type NtpAnswer } from "../observe/ntp.ts";

/**
 * What is said of the answers of time servers when the deployment may go on.
 * @returns warnings
 * @throws UserError when too few of them answer for the timestamp authority to go by
 */
export function judgeTimeServers(ntp: Ntp, answers: readonly NtpAnswer[]): string[] {
  const silent = answers.flatMap((one) =>
    "trouble" in one ? [`${one.server}: ${one.trouble}`] : [],
  );
  const answering = answers.length - silent.length;
  if (answering < ntp.threshold)
    throw new UserError(
      `anchorhold:ntp: ${answering} of ${answers.length} time servers answer this machine, and ` +
        `${ntp.threshold} must agree, so nothing was changed:\n` +
        silent.map((line) => `  - ${line}\n`).join("") +
        "Name servers that answer by UDP on their port. If pods reach them and this machine does not, " +
        "set anchorhold:ntp.access to none: docs/corporate-network.md.",
    );
  const off = answers.flatMap((one) =>
    "offset" in one && Math.abs(one.offset) > ntp.maxTimeDelta
      ? [`${one.server} by ${one.offset.toFixed(1)} s`]
      : [],
  );
  return [
    ...silent.map((line) => `The time server ${line}. Enough others answer.`),
    ...(off.length === 0
      ? []
      : [
          `This machine's clock differs from ${off.join(", ")}, more than anchorhold:ntp.maxTimeDelta: ` +
            "TUF metadata is signed by it. Set the clock (for example with timedatectl).",
        ]),
  ];
}

/**
 * Asks the time servers from this machine before anything is registered, in previews too.
 * @throws UserError when too few answer
 */
export async function lookAtTimeServers(ntp: Ntp | undefined): Promise<void> {
  if (ntp === undefined) return;
  if (ntp.access === "none")
    return void (await pulumi.log.warn(
      "The time servers were not asked whether they answer: anchorhold:ntp.access is none. Pods that " +
        "reach none go on signing: watch timestamp_authority_ntp_errors_total.",
    ));
  const limitMs = ntp.requestTimeout * 1000;
  const asked = ntp.servers.map((server) => askNtp(server, ntpServer(server), limitMs));
  for (const line of judgeTimeServers(ntp, await Promise.all(asked))) await pulumi.log.warn(line);
}
