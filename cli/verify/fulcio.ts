import { inUse, matchChain } from "./certificates.ts";
import { fail, ok, type Check } from "./finding.ts";
import { configuration, trustBundle } from "../../infra/observe/fulcio.ts";
import { getJson } from "../../infra/observe/http.ts";

const restart =
  "Fulcio serves something else than the state says: run `pulumi up`, and see that no " +
  "Secret or ConfigMap of Fulcio was edited by hand.";

/** Fulcio: its own CA and its issuers, as Fulcio's API v2 tells them. */
export const fulcioChecks: readonly Check[] = [
  {
    service: "fulcio",
    title: "trust bundle",
    hint: restart,
    async run({ outputs, signal }) {
      const url = `${outputs.services.fulcio}/api/v2/trustBundle`;
      const { chains } = trustBundle.parse(await getJson(url, signal));
      const certificates = chains.flatMap((chain) => chain.certificates);
      const match = matchChain(
        certificates,
        inUse(outputs.records.fulcioCa, outputs.life.fulcioCa),
      );
      return match.generation === undefined
        ? fail(match.seen, match.expected)
        : ok(`CA of generation ${match.generation}, ${match.seen}`);
    },
  },
  {
    service: "fulcio",
    title: "issuers",
    hint: restart,
    async run({ outputs, signal }) {
      const url = `${outputs.services.fulcio}/api/v2/configuration`;
      const { issuers } = configuration.parse(await getJson(url, signal));
      const seen = issuers
        .map((issuer) => `${issuer.issuerUrl ?? issuer.wildcardIssuerUrl} (${issuer.audience})`)
        .sort();
      const expected = outputs.issuers
        .map((issuer) => `${issuer.issuer} (${issuer.clientId})`)
        .sort();
      const text = seen.join(", ") || "none";
      return text === expected.join(", ") ? ok(text) : fail(text, expected.join(", "));
    },
  },
];
