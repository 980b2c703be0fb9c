fn main() {
    kinset::cli::tmp()
}
