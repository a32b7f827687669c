import type { Subject } from "./crash.ts";

export const firstDeployment: Subject = { name: "the first deployment", before: [], edit: {} };

/** Secrets, releases and the TUF repository change; one Release is upgraded, old objects go. */
export const newPublication: Subject = {
  name: "another issuer",
  before: [{}],
  edit: {
    issuers: [{ issuer: "https://gitlab.example.com", clientId: "x", type: "email" }],
  },
};
