import * as pulumi from "@pulumi/pulumi";
import { reportAll } from "../errors.ts";
import { externalOf, type Database } from "./database.ts";

/** The values of a stack that are secrets, by their names without the project's. */
const secretNames: readonly string[] = ["databasePassword"];

/** Whether `parseConfig` leaves a value alone: nothing that it throws may show one of these. */
export function isSecretName(key: string): boolean {
  return secretNames.includes(key);
}

export interface Secrets {
  /** Of the external database's user; undefined where the database is ours. */
  databasePassword: pulumi.Output<string> | undefined;
}

const command = "pulumi config set --secret anchorhold:databasePassword";

/** Characters that mean nothing in Trillian's flag file: no space, quotes, backslash or $. */
const plain = /^[!#%&(-[\]-~]{1,128}$/;

/**
 * The rules that a database's password breaks, without a word of it.
 * @param given the value and whether the stack file has it encrypted; undefined if it has none
 */
export function passwordProblems(
  database: Database,
  given: { value: string; isSecret: boolean } | undefined,
): string[] {
  const place = "anchorhold:databasePassword";
  if (externalOf(database) === undefined)
    return given === undefined
      ? []
      : [
          `${place}: is for anchorhold:database.external alone, the password of the stack's own ` +
            "database is made once: pulumi config rm anchorhold:databasePassword",
        ];
  if (given === undefined)
    return [`${place}: is missing, the password of anchorhold:database.external.user: ${command}`];
  const { value, isSecret } = given;
  return [
    ...(isSecret
      ? []
      : [
          `${place}: stands in the stack file in clear. Change it in the database, then: ${command}`,
        ]),
    ...(plain.test(value)
      ? []
      : [
          `${place}: must be 1 to 128 printable ASCII characters without spaces, quotes, backslash ` +
            `and $, which Trillian's flag file would change. Change it in the database, then: ${command}`,
        ]),
  ];
}

/**
 * The secrets in the configuration of the stack that is being deployed, as secret Outputs.
 * @throws UserError that lists every problem; it shows no value
 */
export function loadSecrets({ database }: { database: Database }): Secrets {
  const key = `${pulumi.getProject()}:databasePassword`;
  const value = pulumi.runtime.getConfig(key);
  const given = value === undefined ? undefined : { value, isSecret: isSecretKey(key) };
  const problems = passwordProblems(database, given);
  if (problems.length > 0)
    throw reportAll(`The secrets of stack ${pulumi.getStack()} cannot be used:`, problems);
  return { databasePassword: new pulumi.Config().getSecret("databasePassword") };
}

/** Which of a stack's values are encrypted Pulumi tells, but its types do not say so. */
function isSecretKey(key: string): boolean {
  const { isConfigSecret } = pulumi.runtime as unknown as {
    isConfigSecret(this: void, key: string): boolean;
  };
  return isConfigSecret(key);
}
