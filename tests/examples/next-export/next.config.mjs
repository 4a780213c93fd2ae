/** @type {import("next").NextConfig} */
const config = {
  /* output: "standalone" */
  output: "export",
  images: { unoptimized: true },
};

export default config;
