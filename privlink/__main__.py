"""`python -m privlink` is `privlink`."""

from privlink.cli.main import main

if __name__ == "__main__":
    main()
