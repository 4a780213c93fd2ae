// output: "export" would make files of it
export default { poweredByHeader: false };
