"""What the pages share: session state, navigation, words, widgets. Needs Streamlit."""
