import * as z from "zod";

/**
 * What Anchorhold reads of Fulcio's API v2.
 * https://github.com/sigstore/fulcio/blob/main/fulcio.proto
 */

/** `GET /api/v2/trustBundle`: the chains of its CAs, each from the issuer to the root, as PEM. */
export const trustBundle = z.object({
  chains: z.array(z.object({ certificates: z.array(z.string()) })),
});

/** `GET /api/v2/configuration`: whose tokens it takes. */
export const configuration = z.object({
  issuers: z.array(
    z.object({
      issuerUrl: z.string().optional(),
      wildcardIssuerUrl: z.string().optional(),
      audience: z.string(),
    }),
  ),
});
