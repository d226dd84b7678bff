//! Hands the committed SDL to cynic, so that a query the server would refuse does not compile.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    cynic_codegen::register_schema("banyan").from_sdl_file("../server/schema.graphql")?.as_default()?;
    Ok(())
}
