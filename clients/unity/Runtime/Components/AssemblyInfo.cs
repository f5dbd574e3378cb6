using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Mfn.Unity.Tests")]
