fn main() {
    println!("trimtab {}", env!("CARGO_PKG_VERSION"));
}
