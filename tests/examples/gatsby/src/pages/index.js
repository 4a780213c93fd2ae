import * as React from "react";

export default function Index() {
  return <h1>Built by Gatsby</h1>;
}
