import { passphraseFile } from "./environment.ts";

/** What mends an update that failed: the causes that Pulumi names without a remedy, or none. */
export function failureHint(stderr: string): string {
  if (stderr.includes("incorrect passphrase"))
    return (
      "Nothing was changed. The passphrase is not the one that the state is encrypted with: unset " +
      `PULUMI_CONFIG_PASSPHRASE, or put ${passphraseFile} back from a backup.`
    );
  if (stderr.includes("currently locked"))
    return (
      "Nothing was changed. If the other run is still under way, wait for it; if it was killed, run " +
      "`npm run anchorhold -- recover` and then `npm start` again."
    );
  if (/another operation \(install|resource already exists in the cluster/.test(stderr))
    return (
      "An update that was killed has left something half done: run " +
      "`npm run anchorhold -- recover` and then `npm start` again."
    );
  return "Mend that and run `npm start` again: it goes on from there.";
}
